//! Text and HTML files: one row a file, decoded to UTF-8.

mod encoding;
mod reader;

pub(crate) use reader::{TextReader, schema};
