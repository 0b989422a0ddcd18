//! Rules of our own: the same answer, sooner.

mod aggregate_before_join;
mod coded_groups;
mod compact_texts;
mod distinct_by_groups;
mod distinct_texts;
mod first_of_groups;
mod folder_joins;
mod join_sides;
mod large_joins;
mod late_columns;
mod once_per_text;
mod repeated_text;
mod running_windows;
mod shared_subplans;
mod text_codes;
mod text_memory;
mod whole_windows;
mod window_calls;

pub(crate) use aggregate_before_join::AggregateBeforeJoin;
pub(crate) use compact_texts::{CompactTexts, with_compact_texts};
pub(crate) use distinct_by_groups::DistinctByGroups;
pub(crate) use distinct_texts::{DistinctTexts, with_distinct_texts};
pub(crate) use first_of_groups::{FirstOfGroups, FirstOfGroupsExec};
pub(crate) use folder_joins::FolderJoins;
pub(crate) use join_sides::{copy_tiny_sides, share_small_sides};
pub(crate) use large_joins::LargeJoins;
pub(crate) use late_columns::LateColumns;
pub(crate) use repeated_text::{RepeatedText, once_per_text};
pub(crate) use running_windows::{RunningWindows, carried_on};
pub(crate) use shared_subplans::SharedSubplans;
pub(crate) use text_codes::{TextCodes, footer, holds_codes, with_code_types};
pub(crate) use whole_windows::{WholeWindows, without_sorts};
