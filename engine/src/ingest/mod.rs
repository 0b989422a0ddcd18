//! Raw files to checked, typed batches. Never decides names or permissions.

pub(crate) mod json_lines;
mod raw_source;
pub(crate) mod text;

pub(crate) use raw_source::{RawReader, RawSource, Work};
