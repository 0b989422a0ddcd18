//! `tithe optimize`: a table's files written anew, sorted and sized, for the queries that are asked of it.
//!
//! `run` is a session's way in. `source` is what the table has, `observed` what queries ask of it, `choose_key` the order
//! that follows from them, `z_order` the one of several columns at once, `trial` how each column is encoded, `rewrite` the
//! new files of one partition, `switch` the moment when they take the place of the old ones, `skipped` what they save.
//! Rows are moved, never changed: what does not come out as it went in is not put in force.

mod choose_key;
mod lease;
mod observed;
mod options;
mod report;
mod rewrite;
mod run;
mod sample;
mod skipped;
mod source;
mod switch;
mod together;
mod trial;
mod z_order;

pub(crate) use lease::{abandon_unfinished, has_unfinished, is_held, log, remove_records};
pub use options::{LayoutOptions, LayoutOrder, ObservedQueries};
pub use report::{ColumnLayout, LayoutProgress, LayoutReport, LayoutTotals, QueryGain};
