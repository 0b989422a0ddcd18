//! Lines gathered until there are enough for a batch.

use std::ops::Range;

use crate::error::Result;
use crate::ingest::json_lines::lines::Lines;

/// A block is decoded when it holds this much text, whatever its number of lines.
const BLOCK: usize = 16 * 1024 * 1024;

/// Lines that are not blank, with their numbers.
#[derive(Debug, Default)]
pub(super) struct Block {
    text: Vec<u8>,
    lines: Vec<(u64, Range<usize>)>,
}

impl Block {
    /// The next lines of a file, at most `most`; empty at its end.
    pub(super) async fn read(lines: &mut Lines, most: usize) -> Result<Self> {
        let mut block = Self::default();
        while block.lines.len() < most && block.text.len() < BLOCK {
            let start = block.text.len();
            let Some(number) = lines.next(&mut block.text).await? else { break };
            let range = start..block.text.len();
            if block.text.get(range.clone()).is_some_and(|line| line.iter().all(u8::is_ascii_whitespace)) {
                block.text.truncate(start);
            } else {
                block.lines.push((number, range));
            }
        }
        Ok(block)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number and text of every line.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.lines.iter().map(|(number, range)| (*number, self.text.get(range.clone()).unwrap_or_default()))
    }
}
