//! Which files of both sides belong together, and which thread joins them.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::logical_expr::JoinType;

/// Parts at most; of more folders several make one part.
const MOST_PARTS: usize = 256;
/// Fewer parts for a thread than this would leave some idle at the end.
const PARTS_OF_A_THREAD: usize = 2;
/// The most that a thread may have to do, over what it would have if all had the same.
const MOST_LOAD: f64 = 1.25;

/// The values of a folder; `None` is NULL.
type Folder = Vec<Option<String>>;

/// Files that are joined with one another and with nothing else.
#[derive(Debug, Default, Clone)]
pub(super) struct Part {
    pub(super) left: Vec<PartitionedFile>,
    pub(super) right: Vec<PartitionedFile>,
}

impl Part {
    pub(super) fn bytes(&self) -> u64 {
        self.left.iter().chain(&self.right).map(PartitionedFile::effective_size).sum()
    }

    /// Whether a join of this type may find a row in it: most need rows of one side or of both.
    pub(super) fn matters_to(&self, join_type: JoinType) -> bool {
        let (left, right) = (!self.left.is_empty(), !self.right.is_empty());
        match join_type {
            JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => left && right,
            JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => left,
            JoinType::Right | JoinType::RightAnti | JoinType::RightMark => right,
            JoinType::Full => left || right,
        }
    }
}

/// The files of `left` and `right` by the values of their folders in the columns `keys`; `None` when a value is no text.
pub(super) fn parts<'a>(
    left: impl Iterator<Item = &'a PartitionedFile>,
    right: impl Iterator<Item = &'a PartitionedFile>,
    keys: &[(usize, usize)],
) -> Option<Vec<Part>> {
    let mut parts: BTreeMap<Folder, Part> = BTreeMap::new();
    for file in left {
        let folder = folder(file, keys.iter().map(|(left, _)| *left))?;
        parts.entry(folder).or_default().left.push(file.clone());
    }
    for file in right {
        let folder = folder(file, keys.iter().map(|(_, right)| *right))?;
        parts.entry(folder).or_default().right.push(file.clone());
    }
    let parts: Vec<Part> = parts.into_values().collect();
    let together = parts.len().div_ceil(MOST_PARTS).max(1);
    let parts = parts.chunks(together).map(|some| Part {
        left: some.iter().flat_map(|part| part.left.clone()).collect(),
        right: some.iter().flat_map(|part| part.right.clone()).collect(),
    });
    Some(parts.collect())
}

fn folder(file: &PartitionedFile, columns: impl Iterator<Item = usize>) -> Option<Folder> {
    let values = columns.map(|column| match file.partition_values.get(column)? {
        ScalarValue::Utf8(value) => Some(value.clone()),
        _ => None,
    });
    values.collect()
}

/// The places of the parts that each of `threads` joins, the largest first; `None` when one would have far more to do than
/// others.
pub(super) fn turns(bytes: &[u64], threads: usize) -> Option<Vec<Vec<usize>>> {
    if threads == 0 || bytes.len() < threads * PARTS_OF_A_THREAD {
        return None;
    }
    let mut order: Vec<usize> = (0..bytes.len()).collect();
    order.sort_by_key(|place| (std::cmp::Reverse(bytes[*place]), *place));
    let mut turns: Vec<(u64, Vec<usize>)> = vec![(0, Vec::new()); threads];
    for place in order {
        let least = turns.iter_mut().min_by_key(|(load, parts)| (*load, parts.len()))?;
        least.0 += bytes[place];
        least.1.push(place);
    }
    let most = turns.iter().map(|(load, _)| *load).max()?;
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let fair = bytes.iter().sum::<u64>() as f64 / threads as f64;
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let even = most as f64 <= fair * MOST_LOAD;
    even.then(|| turns.into_iter().map(|(_, parts)| parts).collect())
}

#[cfg(test)]
mod tests {
    use super::{Part, turns};

    #[test]
    fn threads_have_as_much_to_do() {
        assert_eq!(turns(&[5, 1, 4, 2, 3], 2), Some(vec![vec![0, 3, 1], vec![2, 4]]));
        // One folder is most of the table, or there are too few.
        assert_eq!(turns(&[90, 1, 4, 2, 3], 2), None);
        assert_eq!(turns(&[5, 5, 5], 2), None);
        assert_eq!(turns(&[], 1), None);
    }

    #[test]
    fn a_part_without_files_on_a_side_that_is_needed_does_not_matter() {
        use datafusion::datasource::listing::PartitionedFile;
        use datafusion::logical_expr::JoinType::{Full, Inner, Left, LeftAnti, Right, RightMark, RightSemi};

        let file = || vec![PartitionedFile::new("file", 1)];
        let left = Part { left: file(), right: Vec::new() };
        let right = Part { left: Vec::new(), right: file() };
        let both = Part { left: file(), right: file() };
        for (join_type, expected) in [
            (Inner, [false, false]),
            (RightSemi, [false, false]),
            (Left, [true, false]),
            (LeftAnti, [true, false]),
            (Right, [false, true]),
            (RightMark, [false, true]),
            (Full, [true, true]),
        ] {
            let matters = [&left, &right].map(|part| part.matters_to(join_type));
            assert_eq!(matters, expected, "{join_type}");
            assert!(both.matters_to(join_type));
        }
    }
}
