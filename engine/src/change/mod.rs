//! Statements that write tables of the lake: created, added to, replaced and dropped, each whole or not at all.
//!
//! `ask` is a session's way in, `statement` tells what a plan changes, `permission` whether the principal may, `fit` brings rows into the table's
//! columns, `commit` makes the change. Reads no rows of a table, and knows no gRPC.

mod ask;
mod bound_rows;
mod commit;
mod fit;
mod permission;
mod statement;

pub(crate) use commit::LakeChange;
pub(crate) use permission::check_may_lay_out;

/// What happens to rows for a table that may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteMode {
    /// Whether the table is made where there is none.
    pub create: bool,
    /// What happens to one that is there.
    pub existing: Existing,
}

/// What happens to a table that is written and there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The write is refused.
    Refuse,
    /// It stays as it is, and nothing is written.
    Keep,
    /// The rows are added.
    Append,
    /// The rows and their columns take its place.
    Replace,
}

/// What is done to a table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Rows are written.
    Write(WriteMode),
    /// The table is removed; `if_exists` where it may be absent.
    Drop { if_exists: bool },
}

/// A table of the lake, and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) action: Action,
}

impl Target {
    /// `schema.table`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}
