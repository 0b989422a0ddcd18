//! What a plan changes in the lake, if it does.

use std::sync::Arc;

use datafusion::catalog::information_schema::INFORMATION_SCHEMA;
use datafusion::common::TableReference;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{CreateMemoryTable, DdlStatement, LogicalPlan, WriteOp};

use super::{Action, Existing, Target, WriteMode};
use crate::audit::AUDIT_SCHEMA;
use crate::catalog::CATALOG;
use crate::error::{EngineError, Result};

/// Where the rows come from.
type Source = Option<Arc<LogicalPlan>>;

/// The change of a table of the lake that `plan` makes, and the plan of its rows; `None` for every other plan.
///
/// `default_schema` is where the session looks up bare names; `is_own` tells of schemas whose tables are the session's.
///
/// # Errors
/// When it is a change that tables of the lake do not have.
pub(super) fn lake_change(
    plan: &LogicalPlan,
    default_schema: &str,
    is_own: impl Fn(&str) -> bool,
) -> Result<Option<(Target, Source)>> {
    let (name, action, source) = match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
            (&create.name, created(create), Some(Arc::clone(&create.input)))
        }
        LogicalPlan::Ddl(DdlStatement::DropTable(drop)) => {
            (&drop.name, Action::Drop { if_exists: drop.if_exists }, None)
        }
        LogicalPlan::Dml(dml) => {
            let existing = match dml.op {
                WriteOp::Insert(InsertOp::Append) => Existing::Append,
                WriteOp::Insert(InsertOp::Overwrite | InsertOp::Replace) => Existing::Replace,
                _ => Existing::Refuse,
            };
            let mode = WriteMode { create: false, existing };
            (&dml.table_name, Action::Write(mode), Some(Arc::clone(&dml.input)))
        }
        _ => return Ok(None),
    };
    let (schema, table) = in_lake(name, default_schema)?;
    if is_own(&schema) {
        return Ok(None);
    }
    let target = Target { schema, table, action };
    check_supported(plan, &target)?;
    Ok(Some((target, source)))
}

fn created(create: &CreateMemoryTable) -> Action {
    let existing = match (create.or_replace, create.if_not_exists) {
        (true, _) => Existing::Replace,
        (false, true) => Existing::Keep,
        (false, false) => Existing::Refuse,
    };
    Action::Write(WriteMode { create: true, existing })
}

fn in_lake(name: &TableReference, default_schema: &str) -> Result<(String, String)> {
    let resolved = name.clone().resolve(CATALOG, default_schema);
    if resolved.catalog.as_ref() != CATALOG {
        return Err(EngineError::Unknown {
            what: "catalog",
            name: resolved.catalog.to_string(),
            hint: format!("; the lake is {CATALOG}"),
        });
    }
    Ok((resolved.schema.to_string(), resolved.table.to_string()))
}

/// That the table is not in a schema that is Tithe's own.
///
/// # Errors
/// When it is.
pub(super) fn check_schema(target: &Target) -> Result<()> {
    match target.schema.as_str() {
        AUDIT_SCHEMA | INFORMATION_SCHEMA => Err(EngineError::NotAllowed {
            what: format!("changing {}", target.name()),
            reason: "the schema is Tithe's own; take another".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_supported(plan: &LogicalPlan, target: &Target) -> Result<()> {
    let refuse = |what: &str, reason: &str| {
        Err(EngineError::NotAllowed {
            what: format!("{what} on {}", target.name()),
            reason: reason.to_owned(),
        })
    };
    check_schema(target)?;
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
            if create.temporary {
                return refuse("CREATE TEMPORARY TABLE", "tables of the lake stay; leave out TEMPORARY");
            }
            if create.constraints.iter().next().is_some() || !create.column_defaults.is_empty() {
                return refuse("CREATE TABLE", "tables of the lake have no keys or defaults; leave them out");
            }
            Ok(())
        }
        LogicalPlan::Dml(dml) => match dml.op {
            WriteOp::Insert(InsertOp::Append) => Ok(()),
            WriteOp::Insert(_) => refuse(
                "INSERT OVERWRITE",
                "it is not supported; write the whole table with CREATE OR REPLACE TABLE … AS SELECT",
            ),
            _ => refuse(
                dml.op.name(),
                "rows of the lake are not changed in place; write the whole table with CREATE OR REPLACE TABLE … AS \
                 SELECT",
            ),
        },
        _ => Ok(()),
    }
}
