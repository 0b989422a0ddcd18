//! JSON lines: one object a line, plain or compressed, columns found in the data.

mod blocks;
mod decode;
mod fit;
mod kind;
mod lines;
mod reader;
mod sample;

pub(crate) use reader::{JsonLinesReader, LINES_SKIPPED, VALUES_NULLED};
pub(crate) use sample::{Sample, sample, schema};
