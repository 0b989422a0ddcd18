//! Names to table providers, by looking at what lies in the lake. Never reads rows.

mod by_statistics;
mod dictionaries;
mod discover;
mod disk;
mod information;
mod lake;
mod lake_table;
mod large_folders;
mod listing;
mod location;
mod names;
mod prepared;
mod replacement;
mod shape;
mod store;
mod stored;
mod union;
mod walks;

pub use discover::{TableFormat, TableInfo};
pub(crate) use information::CATALOG;
pub(crate) use lake::Lake;
pub(crate) use lake_table::LakeTable;
pub(crate) use listing::{Folder, LakeFile, Listing, ROLLUPS, list as list_folder, name_of};
pub use location::LakeLocation;
pub(crate) use names::{LakeCatalog, OWN_SCHEMA, OnlyFiles};
pub(crate) use replacement::{GivenUp, Replacement, below};
pub(crate) use stored::stored_table;
pub(crate) use union::unite;
