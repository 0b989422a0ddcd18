//! Names to table providers, by looking at what lies in the lake. Never reads rows.

mod discover;
mod lake;
mod location;
mod parquet;

pub use discover::{TableFormat, TableInfo};
pub(crate) use lake::{Lake, LakeCatalog};
pub use location::LakeLocation;
