//! Logical rule: rows of a large table that are joined with small ones and then aggregated are aggregated first, by what
//! they are joined by ("eager aggregation", Yan and Larson, Eager aggregation and lazy aggregation, VLDB 1995).
//!
//! The rows of a group meet the same rows of the other tables, and so does the group: its sums and counts are
//! summed as often as its rows would have been. What is computed before the join is computed of rows that it may
//! leave out, and so must never fail.

mod calls;
mod column_facts;
mod groups;
mod never_fails;
mod path;
mod rule;
mod sizes;

pub(super) use calls::{Totals, over_groups};
pub(super) use groups::{Groups, columns_of, is_exact};
pub(super) use never_fails::{compares, never_fails};
pub(crate) use rule::AggregateBeforeJoin;
pub(super) use rule::{as_it_was, grouped_by};
