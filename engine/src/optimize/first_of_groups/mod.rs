//! Filters that ask for the first rows of each partition of a window: rows that cannot be among them are not sorted.

mod best_codes;
mod exec;
mod first_rows;
mod order_codes;
mod rule;
mod stream;
mod travel;
mod worth;

pub(crate) use exec::FirstOfGroupsExec;
pub(crate) use rule::FirstOfGroups;
