//! Aggregates over whole partitions of a window: groups are found by hash, and no row is sorted.

mod calls;
mod exec;
mod rule;
mod sorted;
mod stream;

pub(super) use calls::{has_no_filter, is_plain};
pub(crate) use rule::{WholeWindows, without_sorts};
