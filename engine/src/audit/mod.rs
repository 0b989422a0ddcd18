//! Who asked what, and how it ended: one record for every query.
//!
//! A record goes to the tracing target `tithe::audit`, and to a directory where one is configured: a chain of records
//! of which none can be changed or taken out without its being seen, and which auditors query as `audit.query`.

mod chain;
mod directory;
mod live;
mod log;
mod query;
mod record;
mod recorded;
mod table;
mod verify;

pub use live::LiveQuery;
pub(crate) use log::AuditLog;
pub(crate) use query::{Audit, Outcome};
pub(crate) use recorded::recorded_statements;
pub(crate) use table::{AUDIT_SCHEMA, AuditTable, QUERY_TABLE};
pub use verify::{AuditError, Verified, verify_audit};
