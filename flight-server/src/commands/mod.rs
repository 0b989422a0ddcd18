//! What clients ask for: one file per group of Flight SQL commands. Never decides who may see what.

mod actions;
mod cancel;
mod catalogs;
mod constants;
mod dispatch;
mod ingest;
mod keys;
mod metadata;
mod parameters;
mod plans;
mod poll;
mod prepared;
mod put;
mod read_only;
mod schemas;
mod session_options;
mod sql_info;
mod statement;
mod table_types;
mod tables;
mod type_info;
mod update;
mod updates;
mod upload;

pub(crate) use actions::{act, actions};
pub(crate) use constants::Constants;
pub(crate) use dispatch::{flight_info, rows, schema};
pub(crate) use plans::Plans;
pub(crate) use poll::poll;
pub(crate) use put::put;
pub(crate) use updates::Updates;

/// The one catalog of a server.
const CATALOG: &str = "tithe";

/// Where bare table names are looked up unless the client chose another schema.
const DEFAULT_SCHEMA: &str = "public";
