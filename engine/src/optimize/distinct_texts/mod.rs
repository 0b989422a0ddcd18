//! Which texts there are, as in `count(DISTINCT text)`: they are told apart by a set of them alone, half as large as what groups
//! need, and given on as they come.

mod exec;
mod rule;
mod stream;
mod text_set;

pub(crate) use rule::{DistinctTexts, with_distinct_texts};
