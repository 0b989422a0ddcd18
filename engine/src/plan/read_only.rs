//! What a statement does, and what a read-only session may do.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement};

use crate::error::{EngineError, Result};
use crate::execute::StatementKind;

/// Settings that change how an answer looks, not what a session may reach or use up.
const HARMLESS: [&str; 4] =
    ["tithe.", "datafusion.explain.", "datafusion.execution.time_zone", "datafusion.catalog.default_schema"];

/// What running `plan` does.
pub(crate) fn kind(plan: &LogicalPlan) -> StatementKind {
    match plan {
        LogicalPlan::Statement(Statement::Execute(_)) => StatementKind::Query,
        LogicalPlan::Statement(_) => StatementKind::Setting,
        _ if change(plan).is_some() => StatementKind::Change,
        _ => StatementKind::Query,
    }
}

/// Refuses plans that change something, or settings that reach beyond the session's answers.
///
/// # Errors
/// When it does, naming the kind of statement.
pub(crate) fn check_read_only(plan: &LogicalPlan) -> Result<()> {
    let refuse = |what: String| Err(EngineError::ReadOnly { what });
    match plan {
        LogicalPlan::Statement(Statement::SetVariable(set)) if !is_harmless(&set.variable) => {
            refuse(format!("SET {}", set.variable))
        }
        LogicalPlan::Statement(Statement::ResetVariable(reset)) if !is_harmless(&reset.variable) => {
            refuse(format!("RESET {}", reset.variable))
        }
        LogicalPlan::Statement(Statement::Prepare(prepare)) => check_read_only(&prepare.input),
        _ => match change(plan) {
            Some(name) => refuse(name),
            None => Ok(()),
        },
    }
}

fn is_harmless(variable: &str) -> bool {
    HARMLESS.iter().any(|known| variable == *known || (known.ends_with('.') && variable.starts_with(known)))
}

/// The name of the first node that changes something. `EXPLAIN` runs nothing, `EXPLAIN ANALYZE` does.
fn change(plan: &LogicalPlan) -> Option<String> {
    if let LogicalPlan::Explain(_) = plan {
        return None;
    }
    let mut found = None;
    let walked = plan.apply(|node| {
        found = match node {
            LogicalPlan::Ddl(ddl) => Some(ddl_name(ddl).to_owned()),
            LogicalPlan::Dml(dml) => Some(dml.op.name().to_uppercase()),
            LogicalPlan::Copy(_) => Some("COPY".to_owned()),
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.ok().and(found)
}

fn ddl_name(ddl: &DdlStatement) -> &'static str {
    match ddl {
        DdlStatement::CreateExternalTable(_) => "CREATE EXTERNAL TABLE",
        DdlStatement::CreateMemoryTable(_) => "CREATE TABLE",
        DdlStatement::CreateView(_) => "CREATE VIEW",
        DdlStatement::CreateCatalogSchema(_) => "CREATE SCHEMA",
        DdlStatement::CreateCatalog(_) => "CREATE DATABASE",
        DdlStatement::CreateIndex(_) => "CREATE INDEX",
        DdlStatement::DropTable(_) => "DROP TABLE",
        DdlStatement::DropView(_) => "DROP VIEW",
        DdlStatement::DropCatalogSchema(_) => "DROP SCHEMA",
        DdlStatement::CreateFunction(_) => "CREATE FUNCTION",
        DdlStatement::DropFunction(_) => "DROP FUNCTION",
    }
}
