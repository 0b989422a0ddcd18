//! A set of texts.

use std::hash::BuildHasher;

use arrow::array::ByteView;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts of so many bytes are within their view.
const WITHIN: u32 = 12;
/// Longer ones lie one after another in blocks of so many bytes.
const BLOCK: usize = 256 << 10;

/// Texts, each as Arrow's view of it: a short one is its view, a longer one lies in a block.
#[derive(Debug, Default)]
pub(super) struct TextSet {
    views: HashTable<u128>,
    blocks: Vec<Vec<u8>>,
    block_bytes: usize,
    hasher: DefaultHashBuilder,
}

impl TextSet {
    pub(super) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.views.len()
    }

    /// Of the memory that it has.
    pub(super) fn bytes(&self) -> usize {
        self.views.allocation_size() + self.block_bytes
    }

    /// The most bytes that it has at any time while it takes in `texts` more, which have `long` bytes outside their views.
    pub(super) fn bytes_with(&self, texts: usize, long: usize) -> usize {
        let blocks = match long {
            0 => 0,
            long => long + BLOCK,
        };
        let views = self.views.allocation_size();
        let grown = match self.views.len() + texts <= self.views.capacity() {
            true => views,
            // Twice the places or more, a view and a byte each, while the old ones are still there.
            false => {
                let places = ((self.views.len() + texts) * 8 / 7 + 1).next_power_of_two();
                views + places * (size_of::<u128>() + 1) + 64
            }
        };
        grown + self.block_bytes + blocks
    }

    /// Where a text is to be looked for. `text` is that of `view`.
    pub(super) fn hash(&self, view: u128, text: &[u8]) -> u64 {
        hash(&self.hasher, view, text)
    }

    pub(super) fn contains(&self, hash: u64, view: u128, text: &[u8]) -> bool {
        self.views.find(hash, |known| is_same(&self.blocks, *known, view, text)).is_some()
    }

    /// Takes in a text; false if it was there.
    pub(super) fn insert(&mut self, hash: u64, view: u128, text: &[u8]) -> bool {
        let Self { views, blocks, block_bytes, hasher } = self;
        let entry = views.entry(
            hash,
            |known| is_same(blocks, *known, view, text),
            |known| self::hash(hasher, *known, bytes(blocks, *known)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(_) => false,
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(match length(view) > WITHIN {
                    true => store(blocks, block_bytes, view, text),
                    false => view,
                });
                true
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the first four bytes of a view are the length")]
fn length(view: u128) -> u32 {
    view as u32
}

fn hash(hasher: &DefaultHashBuilder, view: u128, text: &[u8]) -> u64 {
    match length(view) > WITHIN {
        true => hasher.hash_one(text),
        false => hasher.hash_one(view),
    }
}

/// The text of a view that is kept; nothing where it is within.
fn bytes(blocks: &[Vec<u8>], view: u128) -> &[u8] {
    if length(view) <= WITHIN {
        return &[];
    }
    let view = ByteView::from(view);
    let (block, from) = (view.buffer_index as usize, view.offset as usize);
    blocks.get(block).and_then(|block| block.get(from..from + view.length as usize)).unwrap_or_default()
}

fn is_same(blocks: &[Vec<u8>], known: u128, view: u128, text: &[u8]) -> bool {
    if length(view) <= WITHIN {
        return known == view;
    }
    let (first, second) = (ByteView::from(known), ByteView::from(view));
    first.length == second.length && first.prefix == second.prefix && bytes(blocks, known) == text
}

/// Puts a long text into a block: its view there.
#[expect(clippy::cast_possible_truncation, reason = "no offset within a block that takes more is larger")]
fn store(blocks: &mut Vec<Vec<u8>>, block_bytes: &mut usize, view: u128, text: &[u8]) -> u128 {
    if blocks.last().is_none_or(|block| block.capacity() - block.len() < text.len()) {
        let block = Vec::with_capacity(BLOCK.max(text.len()));
        *block_bytes += block.capacity();
        blocks.push(block);
    }
    let place = blocks.len() - 1;
    let mut view = ByteView::from(view);
    if let Some(block) = blocks.last_mut() {
        (view.buffer_index, view.offset) = (place as u32, block.len() as u32);
        block.extend_from_slice(text);
    }
    view.as_u128()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::StringViewArray;

    use super::*;

    #[test]
    fn each_text_is_taken_in_once_however_long() {
        let texts: Vec<String> = (0..40_000)
            .map(|n| n * 7919 % 9_001)
            .map(|n| match n % 4 {
                0 => format!("{n}"),
                1 => format!("發票{n}"),
                2 => format!("a text that is longer than its view, number {n}"),
                _ => format!("{n}{}", "長".repeat(n % 300)),
            })
            .chain([String::new(), "x".repeat(2 * BLOCK), String::new(), "x".repeat(2 * BLOCK)])
            .collect();
        let array = StringViewArray::from_iter_values(&texts);
        let mut set = TextSet::default();
        let mut expected = BTreeSet::new();
        for (text, view) in texts.iter().zip(array.views()) {
            let before = set.bytes_with(1, text.len());
            let hash = set.hash(*view, text.as_bytes());
            assert_eq!(set.contains(hash, *view, text.as_bytes()), expected.contains(text));
            assert_eq!(set.insert(hash, *view, text.as_bytes()), expected.insert(text.clone()), "{text:.40}");
            assert!(set.bytes() <= before + BLOCK, "{} of {before}", set.bytes());
            assert!(set.contains(hash, *view, text.as_bytes()));
        }
        assert_eq!(set.views.len(), expected.len());
    }

    #[test]
    fn what_it_will_have_is_no_less_than_what_it_has() {
        let mut set = TextSet::default();
        for from in (0..300_000).step_by(1000) {
            let most = set.bytes_with(1000, 0);
            let array = StringViewArray::from_iter_values((from..from + 1000).map(|n| format!("{n}")));
            for (text, view) in array.iter().zip(array.views()) {
                let text = text.unwrap().as_bytes();
                set.insert(set.hash(*view, text), *view, text);
            }
            assert!(set.bytes() <= most, "{} of {most}", set.bytes());
        }
    }
}
