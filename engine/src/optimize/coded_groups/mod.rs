//! The first stage of an aggregation whose groups are found by codes of texts, not by the texts.

mod exec;
mod group_codes;
mod stream;

pub(crate) use exec::{CodedGroupsExec, groups_by_codes};
