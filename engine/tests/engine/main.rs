//! The engine, asked in SQL: sources, policy, audit, optimizer rules, layout, limits.

#![cfg(test)]

mod aggregate_before_join;
mod audit;
mod audit_table;
mod catalog;
mod coded_keys;
mod configuration;
mod distinct_by_groups;
mod distinct_texts;
mod errors;
mod first_of_groups;
mod folder_joins;
mod json_lines;
mod large_joins;
mod late_columns;
mod layout;
mod memory;
mod minimum_group;
mod policy;
mod policy_attacks;
mod policy_random;
mod query;
mod read_only;
mod repeated_text;
mod result_cache;
mod rollups;
mod rollups_policy;
mod running_windows;
mod s3;
mod shared_subplans;
mod small_queries;
mod support;
mod text;
mod text_codes;
mod whole_windows;
mod writing;
