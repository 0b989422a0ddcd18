//! The query library: questions a tax analyst asks, each one an SQL file with a described head.
//!
//! `sql/<domain>/<name>.sql` holds the query, `library` lists them, [`LibraryQuery::bind`] puts
//! parameters in. This crate runs nothing: the bound text goes to a session like any other SQL.

mod bind;
mod error;
mod files;
mod header;
mod library;
mod parameter;

pub use error::ParameterError;
pub use header::{Column, HeaderError};
pub use library::{LibraryQuery, find, library};
pub use parameter::{Parameter, ParameterKind};
