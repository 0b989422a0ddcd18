//! Which group a row belongs to, by the codes of its keys.

use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// The combinations of codes that a table of groups has room for.
const MOST_SLOTS: usize = 1 << 18;
/// Groups asked for before it is decided whether dictionaries share any.
const PROBE: usize = 100_000;
const UNKNOWN: u32 = u32::MAX;

/// The groups met so far. Each dictionary has its own codes; which group a combination of them means is looked up once.
///
/// Where dictionaries hardly share texts, looking groups up finds nothing: then each dictionary has groups of its own, to
/// be taken before the next one comes.
pub(super) struct GroupCodes {
    schema: SchemaRef,
    groups: Box<dyn GroupValues>,
    /// The keys of the groups of the dictionaries at hand, once each has its own.
    own: Option<Vec<Vec<ArrayRef>>>,
    own_groups: usize,
    /// Groups looked up because a dictionary was new, and how many of them were not there.
    asked: usize,
    /// Above so many groups that were not there for each that was asked for, dictionaries get their own.
    most_new: f64,
    /// The dictionaries for which `slots` holds.
    dictionaries: Vec<ArrayData>,
    /// The group of a combination of codes.
    slots: Vec<u32>,
    /// The slot of each row.
    rows: Vec<u32>,
    new_rows: Vec<u32>,
    new_groups: Vec<usize>,
}

impl GroupCodes {
    pub(super) fn try_new(schema: SchemaRef, most_new: f64) -> Result<Self> {
        let groups = new_group_values(Arc::clone(&schema), &GroupOrdering::None)?;
        Ok(Self {
            schema,
            groups,
            own: None,
            own_groups: 0,
            asked: 0,
            most_new,
            dictionaries: Vec::new(),
            slots: Vec::new(),
            rows: Vec::new(),
            new_rows: Vec::new(),
            new_groups: Vec::new(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len() + self.own_groups
    }

    pub(super) fn size(&self) -> usize {
        let numbers = self.slots.capacity() + self.rows.capacity() + self.new_rows.capacity();
        let own =
            self.own.iter().flatten().flatten().map(|keys| keys.get_buffer_memory_size()).sum::<usize>();
        self.groups.size() + own + numbers * size_of::<u32>()
    }

    /// Gives all groups and forgets them.
    pub(super) fn take(&mut self) -> Result<Vec<ArrayRef>> {
        self.slots.fill(UNKNOWN);
        self.asked = 0;
        if self.own_groups > 0 {
            self.own_groups = 0;
            let own = self.own.replace(Vec::new()).unwrap_or_default();
            let keys = (0..self.schema.fields().len()).map(|place| {
                let parts: Vec<&dyn Array> = own.iter().map(|keys| keys[place].as_ref()).collect();
                Ok(concat(&parts)?)
            });
            return keys.collect();
        }
        let keys = self.groups.emit(EmitTo::All)?;
        self.groups.clear_shrink(0);
        Ok(keys)
    }

    /// Whether all groups must be taken before those of `keys` are found.
    pub(super) fn must_be_taken(&mut self, keys: &[ArrayRef]) -> bool {
        if self.own.is_none() {
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let share = self.groups.len() as f64 / self.asked.max(1) as f64;
            if self.asked < PROBE || share <= self.most_new {
                return false;
            }
            // From now on; what was found so far is given first.
            self.own = Some(Vec::new());
            return true;
        }
        self.own_groups > 0 && !self.has_dictionaries(keys)
    }

    fn has_dictionaries(&self, keys: &[ArrayRef]) -> bool {
        let same = |(key, known): (&ArrayRef, &ArrayData)| {
            key.as_dictionary_opt::<Int32Type>().is_some_and(|codes| codes.values().to_data().ptr_eq(known))
        };
        self.dictionaries.len() == keys.len() && keys.iter().zip(&self.dictionaries).all(same)
    }

    /// Puts the group of each row of `keys` into `groups`.
    pub(super) fn find(&mut self, keys: &[ArrayRef], groups: &mut Vec<usize>) -> Result<()> {
        if !self.find_slots(keys) {
            self.dictionaries.clear();
            let texts = self.texts(keys, None)?;
            let Some(own) = &mut self.own else { return self.groups.intern(&texts, groups) };
            let rows = texts.first().map_or(0, |key| key.len());
            own.push(texts);
            groups.clear();
            groups.extend(self.own_groups..self.own_groups + rows);
            self.own_groups += rows;
            return Ok(());
        }
        self.new_rows.clear();
        for (row, slot) in (0_u32..).zip(&self.rows) {
            let group = &mut self.slots[*slot as usize];
            if *group == UNKNOWN {
                // Not unknown any more: the next row of this slot is not new.
                *group = 0;
                self.new_rows.push(row);
            }
        }
        if !self.new_rows.is_empty() {
            let rows = UInt32Array::from(self.new_rows.clone());
            let texts = self.texts(keys, Some(&rows))?;
            self.asked += self.new_rows.len();
            match &mut self.own {
                Some(own) => {
                    own.push(texts);
                    self.new_groups.clear();
                    self.new_groups.extend(self.own_groups..self.own_groups + self.new_rows.len());
                    self.own_groups += self.new_rows.len();
                }
                None => self.groups.intern(&texts, &mut self.new_groups)?,
            }
            for (row, group) in self.new_rows.iter().zip(&self.new_groups) {
                #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 groups")]
                let group = *group as u32;
                self.slots[self.rows[*row as usize] as usize] = group;
            }
        }
        groups.clear();
        groups.extend(self.rows.iter().map(|slot| self.slots[*slot as usize] as usize));
        Ok(())
    }

    /// Puts the slot of each row into `rows`; `false` if keys have no codes, or too many.
    fn find_slots(&mut self, keys: &[ArrayRef]) -> bool {
        let mut slots = 1_usize;
        for key in keys {
            let Some(codes) = key.as_dictionary_opt::<Int32Type>() else { return false };
            // One more for NULL.
            slots = match slots.checked_mul(codes.values().len() + 1) {
                Some(slots) if slots <= MOST_SLOTS => slots,
                _ => return false,
            };
        }
        if !self.has_dictionaries(keys) {
            let dictionaries = keys.iter().filter_map(|key| key.as_dictionary_opt::<Int32Type>());
            self.dictionaries = dictionaries.map(|codes| codes.values().to_data()).collect();
            self.slots.clear();
            self.slots.resize(slots, UNKNOWN);
        }
        for (place, key) in keys.iter().enumerate() {
            let codes = key.as_dictionary::<Int32Type>();
            #[expect(clippy::cast_possible_truncation, reason = "at most MOST_SLOTS")]
            let (null, width) = (codes.values().len() as u32, codes.values().len() as u32 + 1);
            #[expect(clippy::cast_sign_loss, reason = "a code is the place of a text")]
            let plain = codes.keys().values().iter().map(|code| *code as u32);
            match (place, codes.keys().nulls().filter(|nulls| nulls.null_count() > 0)) {
                (0, None) => {
                    self.rows.clear();
                    self.rows.extend(plain);
                }
                (0, Some(nulls)) => {
                    self.rows.clear();
                    self.rows.extend(plain.zip(nulls).map(|(code, valid)| if valid { code } else { null }));
                }
                (_, None) => {
                    self.rows.iter_mut().zip(plain).for_each(|(slot, code)| *slot = *slot * width + code);
                }
                (_, Some(nulls)) => {
                    let codes = plain.zip(nulls).map(|(code, valid)| if valid { code } else { null });
                    self.rows.iter_mut().zip(codes).for_each(|(slot, code)| *slot = *slot * width + code);
                }
            }
        }
        true
    }

    /// The keys as they are given on; of some rows, or of all.
    pub(super) fn texts(&self, keys: &[ArrayRef], rows: Option<&UInt32Array>) -> Result<Vec<ArrayRef>> {
        let texts = keys.iter().zip(self.schema.fields()).map(|(key, field)| {
            let key = match rows {
                Some(rows) => take(key, rows, None)?,
                None => Arc::clone(key),
            };
            Ok(match key.data_type() {
                DataType::Dictionary(..) => cast(&key, field.data_type())?,
                _ => key,
            })
        });
        texts.collect()
    }
}
