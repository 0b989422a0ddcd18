//! Writing a table's files: each appears whole or not at all, on a disk and in an object store.
//!
//! One put of one object is the only thing that both do all at once, so what has to appear together is one Parquet
//! file. It is made in memory, within the limits of queries, and put under its final name; until then no reader of
//! the folder, of whatever make, finds anything that ends in `.parquet`.

mod encode;
mod folder;
mod replaced;
mod store;

pub(crate) use encode::{ParquetObject, encode, hexadecimal};
pub(crate) use folder::TableFolder;
pub(crate) use replaced::{next_number, remove_replaced};
pub(crate) use store::{Put, WriteStore};
