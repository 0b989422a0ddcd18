//! Which privilege a change needs: Trino's, by the same names.

use std::sync::Arc;

use arrow::datatypes::Schema;

use super::{Action, Existing, Target, WriteMode};
use crate::catalog::Lake;
use crate::error::{EngineError, Result};
use crate::policy::{Authority, Privilege};

/// That the principal may make the change to a table of `lake`.
///
/// Rows are added by who holds `INSERT` and sees the whole table: whoever sees a part of it would else learn from what
/// does not fit. A table is made, replaced and dropped by who holds `OWNERSHIP`. Whether the table is there is not
/// told to whom neither is granted.
///
/// # Errors
/// When the policy does not grant it.
pub(super) async fn check_permitted(authority: &Authority, target: &Target, lake: &Arc<Lake>) -> Result<()> {
    let holds = |privilege| authority.grants(&target.schema, &target.table, privilege);
    let refuse = |what: &str, reason: &str| {
        Err(EngineError::NotAllowed { what: format!("{what} {}", target.name()), reason: reason.to_owned() })
    };
    let owns = holds(Privilege::Ownership);
    let Action::Write(WriteMode { existing: Existing::Append, create }) = target.action else {
        return match owns {
            true => Ok(()),
            false => refuse("changing", "the policy does not grant you OWNERSHIP of it"),
        };
    };
    if !owns && !holds(Privilege::Insert) {
        return refuse("adding rows to", "the policy does not grant you INSERT on it");
    }
    let Some(stored) = lake.table(&target.schema, &target.table).await? else {
        return match owns || !create {
            true => Ok(()),
            false => refuse("creating", "the policy does not grant you OWNERSHIP of it"),
        };
    };
    if !holds(Privilege::Insert) {
        return refuse("adding rows to", "the policy does not grant you INSERT on it");
    }
    let columns = stored.schema();
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    match authority.shows_all(&target.schema, &target.table, &names) {
        true => Ok(()),
        false => refuse("adding rows to", "you see it in part, or not at all"),
    }
}

/// That the principal may write the files of a table with these columns anew, or others that are made of all of its rows,
/// which is `what` they do: whoever owns it, or may add and delete rows,
/// and sees all of it. What is hidden from whoever writes would else be lost.
///
/// # Errors
/// When the policy does not grant it.
pub(crate) fn check_may_lay_out(
    authority: Option<&Authority>,
    schema: &str,
    table: &str,
    columns: &Schema,
    what: &str,
) -> Result<()> {
    let Some(authority) = authority else { return Ok(()) };
    let refuse = |reason: &str| {
        Err(EngineError::NotAllowed { what: format!("{what} {schema}.{table}"), reason: reason.to_owned() })
    };
    let holds = |privilege| authority.grants(schema, table, privilege);
    let may = holds(Privilege::Ownership) || (holds(Privilege::Insert) && holds(Privilege::Delete));
    if !may {
        return refuse("the policy does not grant you OWNERSHIP of it, or INSERT and DELETE on it");
    }
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    match authority.shows_all(schema, table, &names) {
        true => Ok(()),
        false => refuse("you see it in part, and the rest would be lost"),
    }
}
