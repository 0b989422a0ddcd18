//! Rollups: aggregates of a table that are kept beside it, and from which queries are answered that ask for nothing finer.
//!
//! A rollup has a definition, which is a list of keys and one of measures, and segments. A segment is a Parquet file with
//! the aggregates of some files of the table, and counts for exactly these files as they were. A query finds the files
//! of the table as they are now: for those of a segment whose files are all unchanged it reads the segment, and all others
//! it reads themselves. So an answer is never older than the table.

mod alignment;
mod combine;
mod create;
mod definition;
mod drop;
mod keyed;
mod list;
mod manifest;
mod place;
mod rebuild;
mod refresh;
mod rule;
mod segments;
mod store;
mod table;

pub(crate) use combine::EXACT;
pub(crate) use keyed::is_function_of_its_parts;
pub(crate) use rebuild::meaning;
pub(crate) use rule::AnswerFromRollups;
pub(crate) use store::{Rollup, Rollups, remove_rollups};
pub(crate) use table::RollupTable;

pub use list::{RollupInfo, RollupState};
pub use refresh::{RollupProgress, RollupReport};
