//! The answers of a predicate to the texts that it has met.

use std::sync::Arc;

use arrow::array::{
    AnyDictionaryArray, Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringViewArray, UInt32Array,
    UInt64Array, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Beyond so many texts, all are forgotten: looking one up would cost what the predicate costs.
const MOST_TEXTS: usize = 1 << 17;
/// Of so many bytes the texts are kept alive at most.
const MOST_BYTES: usize = 32 << 20;
/// So many batches go by unremembered after one whose texts hardly repeat.
const PAUSE: u32 = 64;
/// Below so many rows nothing is gained.
const FEWEST_ROWS: usize = 64;
/// A text of at most so many bytes lies in its view.
const INLINE: u128 = 12;
const BUFFER_SHIFT: u32 = 64;
const BUFFER_MASK: u128 = (u32::MAX as u128) << BUFFER_SHIFT;

const FALSE: u8 = 0;
const TRUE: u8 = 1;
const NULL: u8 = 2;
/// Texts at most that the codes of rows are compared with, one after the other, instead of looking each of them up.
const MOST_COMPARED: usize = 3;

fn as_number(answer: Option<bool>) -> u8 {
    match answer {
        Some(true) => TRUE,
        Some(false) => FALSE,
        None => NULL,
    }
}

/// The answers to rows, from those to the texts at their places and, last, to NULL.
fn look_up(
    answers: &[u8],
    nulls: Option<&NullBuffer>,
    rows: usize,
    place: impl Fn(usize) -> usize,
) -> BooleanArray {
    let of_null = answers.len() - 1;
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let collect = |is: &dyn Fn(u8) -> bool| {
        // Asked of each text here, so that a row only looks it up: a bit of few that are near.
        let mut bits = vec![0_u64; answers.len().div_ceil(64)];
        for (place, _) in answers.iter().enumerate().filter(|(_, answer)| is(**answer)) {
            bits[place / 64] |= 1 << (place % 64);
        }
        let is = |place: usize| bits[place / 64] >> (place % 64) & 1 == 1;
        match nulls {
            None => BooleanBuffer::collect_bool(rows, |row| is(place(row))),
            Some(nulls) => BooleanBuffer::collect_bool(rows, |row| {
                is(if nulls.is_valid(row) { place(row) } else { of_null })
            }),
        }
    };
    let is_true = collect(&|answer| answer == TRUE);
    let used = if nulls.is_none() { &answers[..of_null] } else { answers };
    let may_be_null = used.contains(&NULL);
    let valid = may_be_null.then(|| NullBuffer::new(collect(&|answer| answer != NULL)));
    BooleanArray::new(is_true, valid)
}

/// The answers to rows, found by comparing their codes with those of the texts that are searched for; `None` where those are many,
/// or there are NULLs.
fn compared(answers: &[u8], codes: &Int32Array) -> Result<Option<BooleanArray>> {
    let [answers @ .., _of_null] = answers else { return Ok(None) };
    if codes.null_count() > 0 || answers.contains(&NULL) {
        return Ok(None);
    }
    let found = answers.iter().enumerate().filter(|(_, answer)| **answer == TRUE);
    let found: Vec<usize> = found.map(|(place, _)| place).take(MOST_COMPARED + 1).collect();
    if found.len() > MOST_COMPARED {
        return Ok(None);
    }
    let mut rows = BooleanBuffer::new_unset(codes.len());
    for place in found {
        let Ok(code) = i32::try_from(place) else { return Ok(None) };
        rows = &rows | eq(codes, &Int32Array::new_scalar(code))?.values();
    }
    Ok(Some(BooleanArray::new(rows, None)))
}

/// Remembers what a predicate of one text column answered.
///
/// Parquet gives the texts of a dictionary page as views into that page: equal views, with the page they point into, are
/// equal texts, and nothing is read to know it. Equal texts of different pages are asked for once a page.
#[derive(Debug, Default)]
pub(super) struct TextMemory {
    places: HashMap<u128, u32>,
    answers: Vec<u8>,
    may_be_null: bool,
    null: Option<u32>,
    /// What views point into, kept so that no other buffer takes its address.
    buffers: Vec<Buffer>,
    bytes: usize,
    pause: u32,
    rows: Vec<u32>,
    /// The answers to its texts, and to NULL.
    dictionary: Option<(ArrayRef, Vec<u8>)>,
}

impl TextMemory {
    /// The answers to all of `texts`; `ask` is the predicate.
    pub(super) fn answer(
        &mut self,
        texts: &ArrayRef,
        ask: impl Fn(&ArrayRef) -> Result<BooleanArray>,
    ) -> Result<BooleanArray> {
        match texts.data_type() {
            DataType::Utf8View if texts.len() >= FEWEST_ROWS => self.answer_views(texts, ask),
            // One without values has only NULLs, and no keys to look up.
            DataType::Dictionary(..) if !texts.as_any_dictionary().values().is_empty() => {
                self.answer_dictionary(texts, ask)
            }
            _ => ask(texts),
        }
    }

    fn answer_views(
        &mut self,
        texts: &ArrayRef,
        ask: impl Fn(&ArrayRef) -> Result<BooleanArray>,
    ) -> Result<BooleanArray> {
        if self.pause > 0 {
            self.pause -= 1;
            return ask(texts);
        }
        let views = texts.as_string_view();
        let Some(numbers) = self.buffer_numbers(views) else {
            self.forget();
            self.pause = PAUSE;
            return ask(texts);
        };
        let new = self.find_places(views, &numbers);
        if new.len() * 2 > texts.len() {
            self.forget();
            self.pause = PAUSE;
            return ask(texts);
        }
        if !new.is_empty() {
            let answers = ask(&take(texts, &UInt32Array::from(new), None)?)?;
            self.may_be_null |= answers.null_count() > 0;
            self.answers.extend(answers.iter().map(as_number));
        }
        let (rows, answers) = (&self.rows, &self.answers);
        let is_true = BooleanBuffer::collect_bool(rows.len(), |row| answers[rows[row] as usize] == TRUE);
        let nulls = self.may_be_null.then(|| {
            NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), |row| {
                answers[rows[row] as usize] != NULL
            }))
        });
        let answer = BooleanArray::new(is_true, nulls);
        if self.places.len() > MOST_TEXTS {
            self.forget();
        }
        Ok(answer)
    }

    /// Numbers of the buffers that `views` point into; `None` when they are more than can be kept.
    fn buffer_numbers(&mut self, views: &StringViewArray) -> Option<Vec<u128>> {
        let mut numbers = Vec::with_capacity(views.data_buffers().len());
        for buffer in views.data_buffers() {
            let known = self.buffers.iter().rposition(|known| {
                std::ptr::eq(known.as_ptr(), buffer.as_ptr()) && known.len() == buffer.len()
            });
            let number = match known {
                Some(number) => number,
                None if self.bytes + buffer.len() > MOST_BYTES && self.buffers.is_empty() => return None,
                None => {
                    self.bytes += buffer.len();
                    self.buffers.push(buffer.clone());
                    self.buffers.len() - 1
                }
            };
            numbers.push((number as u128) << BUFFER_SHIFT);
        }
        (self.bytes <= MOST_BYTES).then_some(numbers)
    }

    /// Puts the place of each row's answer into `rows`; returns the rows whose answers are not known, in the order of
    /// their places.
    fn find_places(&mut self, views: &StringViewArray, numbers: &[u128]) -> Vec<u32> {
        let mut new = Vec::new();
        self.rows.clear();
        let first_new = self.answers.len();
        for (row, view) in (0_u32..).zip(views.views().iter()) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "MOST_TEXTS and the rows of a batch are fewer"
            )]
            let next = (first_new + new.len()) as u32;
            if views.is_null(row as usize) {
                let place = *self.null.get_or_insert_with(|| {
                    new.push(row);
                    next
                });
                self.rows.push(place);
                continue;
            }
            let key = if view & u128::from(u32::MAX) <= INLINE {
                *view
            } else {
                let buffer = (view & BUFFER_MASK) >> BUFFER_SHIFT;
                (view & !BUFFER_MASK) | numbers[buffer as usize]
            };
            self.rows.push(match self.places.entry(key) {
                Entry::Occupied(place) => *place.get(),
                Entry::Vacant(place) => {
                    new.push(row);
                    *place.insert(next)
                }
            });
        }
        new
    }

    fn answer_dictionary(
        &mut self,
        texts: &ArrayRef,
        ask: impl Fn(&ArrayRef) -> Result<BooleanArray>,
    ) -> Result<BooleanArray> {
        let dictionary = texts.as_any_dictionary();
        let values = dictionary.values();
        let known = self.dictionary.take().filter(|(known, _)| known.to_data().ptr_eq(&values.to_data()));
        let known = match known {
            Some(known) => known,
            None => {
                let answers = ask(&each_once(texts.data_type(), dictionary)?)?;
                (Arc::clone(values), answers.iter().map(as_number).collect())
            }
        };
        let answer = match texts.as_dictionary_opt::<Int32Type>() {
            Some(codes) => match compared(&known.1, codes.keys())? {
                Some(answer) => answer,
                None => {
                    let keys = codes.keys().values();
                    #[expect(clippy::cast_sign_loss, reason = "a code is the place of a text")]
                    look_up(&known.1, codes.keys().nulls(), keys.len(), |row| keys[row] as usize)
                }
            },
            None => {
                let keys = dictionary.normalized_keys();
                look_up(&known.1, dictionary.keys().nulls(), keys.len(), |row| keys[row])
            }
        };
        self.dictionary = Some(known);
        Ok(answer)
    }

    fn forget(&mut self) {
        *self = Self { rows: std::mem::take(&mut self.rows), pause: self.pause, ..Self::default() };
    }
}

/// The values of a dictionary in their order, and NULL last.
fn each_once(data_type: &DataType, dictionary: &dyn AnyDictionaryArray) -> Result<ArrayRef> {
    let values = dictionary.values();
    let keys = UInt64Array::from_iter((0..values.len() as u64).map(Some).chain([None]));
    let keys = cast(&keys, dictionary.keys().data_type())?;
    let data = keys.into_data().into_builder().data_type(data_type.clone()).add_child_data(values.to_data());
    Ok(make_array(data.build()?))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use arrow::array::{DictionaryArray, StringArray};
    use arrow::compute::concat;
    use arrow::datatypes::Int32Type;

    use super::*;

    /// Whether a text has a 團, and NULL for "?" and for NULL; notes what it was asked.
    fn ask(texts: &ArrayRef, asked: &RefCell<Vec<usize>>) -> Result<BooleanArray> {
        asked.borrow_mut().push(texts.len());
        let texts = cast(texts, &DataType::Utf8)?;
        let answer = |text: Option<&str>| text.filter(|text| *text != "?").map(|text| text.contains('團'));
        Ok(texts.as_string::<i32>().iter().map(answer).collect())
    }

    fn plain(texts: &ArrayRef) -> BooleanArray {
        ask(texts, &RefCell::default()).unwrap()
    }

    /// Rows that point into one page, as a Parquet dictionary page gives them.
    fn rows_of_page(page: &StringViewArray, rows: impl Iterator<Item = u32>) -> ArrayRef {
        take(page, &UInt32Array::from_iter_values(rows), None).unwrap()
    }

    fn page() -> StringViewArray {
        let texts = ["團購", "?", "飲料", "一個比十二個位元組長的團購名稱", "一個比十二個位元組長的飲料名稱"];
        texts.into_iter().map(Some).chain([None]).collect()
    }

    #[test]
    fn a_text_is_asked_for_once() {
        let (page, asked) = (page(), RefCell::default());
        let mut memory = TextMemory::default();
        for start in 0..10 {
            let rows = rows_of_page(&page, (start..start + 1000).map(|row| row * 7 % 6));
            assert_eq!(memory.answer(&rows, |texts| ask(texts, &asked)).unwrap(), plain(&rows));
        }
        assert_eq!(*asked.borrow(), [6]);
    }

    #[test]
    fn pages_do_not_borrow_from_each_other() {
        let other: StringViewArray = ["一個比十二個位元組長的飲料名稱", "一個比十二個位元組長的團購名稱"]
            .into_iter()
            .map(Some)
            .collect();
        let mut memory = TextMemory::default();
        for (page, texts) in [(page(), 5), (other, 2), (page(), 5)] {
            let rows = rows_of_page(&page, (0..500).map(|row| row % texts));
            assert_eq!(memory.answer(&rows, |texts| ask(texts, &RefCell::default())).unwrap(), plain(&rows));
        }
    }

    #[test]
    fn texts_that_do_not_repeat_are_left_alone() {
        let asked = RefCell::default();
        let mut memory = TextMemory::default();
        for start in 0..3 {
            let texts: StringViewArray = (0..1000).map(|row| Some(format!("{start} {row} 團"))).collect();
            let rows: ArrayRef = Arc::new(texts);
            assert_eq!(memory.answer(&rows, |texts| ask(texts, &asked)).unwrap(), plain(&rows));
        }
        assert_eq!(*asked.borrow(), [1000; 3]);
        assert!(memory.places.is_empty() && memory.buffers.is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut memory = TextMemory::default();
        for start in 0..40 {
            let texts: StringViewArray =
                (0..8000).map(|row| Some(format!("{start} {:0>1000} 團", row / 2))).collect();
            let page: ArrayRef = Arc::new(texts);
            let rows = concat(&[&page, &page, &page]).unwrap();
            assert_eq!(memory.answer(&rows, |texts| ask(texts, &RefCell::default())).unwrap(), plain(&rows));
            assert!(memory.bytes <= MOST_BYTES && memory.places.len() <= MOST_TEXTS);
        }
    }

    #[test]
    fn a_dictionary_is_asked_for_once() {
        let asked = RefCell::default();
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some("團購"), Some("?"), Some("飲料"), None]));
        let mut memory = TextMemory::default();
        for start in 0..5 {
            let keys = (0..200).map(|row| (row % 5 != 4).then_some((row + start) % 4));
            let rows: ArrayRef =
                Arc::new(DictionaryArray::<Int32Type>::new(keys.collect(), Arc::clone(&values)));
            assert_eq!(memory.answer(&rows, |texts| ask(texts, &asked)).unwrap(), plain(&rows));
        }
        assert_eq!(*asked.borrow(), [5]);
    }

    #[test]
    fn codes_are_compared_with_those_of_few_texts() {
        for found in 0..6 {
            let texts = (0..90).map(|text| (text % 7 != 3).then(|| format!("{text} 團購")));
            let values: ArrayRef = Arc::new(StringArray::from_iter(texts));
            let is_found = |text: &str| -> bool {
                let number: usize = text.split(' ').next().unwrap().parse().unwrap();
                number.is_multiple_of(11) && number < found * 11
            };
            let ask = |texts: &ArrayRef| {
                let texts = cast(texts, &DataType::Utf8)?;
                Ok(texts.as_string::<i32>().iter().map(|text| text.map(is_found)).collect::<BooleanArray>())
            };
            // With a text that is NULL, with rows that are, and with neither.
            for (texts, nulls) in [(90, false), (3, true), (3, false)] {
                let keys = (0..500).map(|row| (!nulls || row % 3 > 0).then_some(row * 37 % texts));
                let rows: ArrayRef =
                    Arc::new(DictionaryArray::<Int32Type>::new(keys.collect(), values.slice(0, 90)));
                let answer = TextMemory::default().answer(&rows, ask).unwrap();
                assert_eq!(answer, ask(&rows).unwrap(), "{found} {texts} {nulls}");
            }
        }
    }

    #[test]
    fn a_dictionary_without_texts_is_all_null() {
        let values: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
        let keys = std::iter::repeat_n(None, 200).collect();
        let rows: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys, values));
        let answers = TextMemory::default().answer(&rows, |texts| ask(texts, &RefCell::default()));
        assert_eq!(answers.unwrap().null_count(), 200);
    }
}
