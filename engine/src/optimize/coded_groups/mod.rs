//! The first stage of an aggregation whose groups are found by the codes of their keys, not by the keys.
//!
//! Texts have codes where their pages are dictionaries. What is computed of a day or of another whole number is computed
//! once for each of them, and of a `CASE` between literals only the branch is found.

mod branch_codes;
mod conditions;
mod exec;
mod group_codes;
mod keys;
mod number_codes;
mod stream;

pub(crate) use exec::{CodedGroupsExec, groups_by_codes};
