//! The gate that every plan passes.

use std::collections::BTreeSet;

use datafusion::logical_expr::LogicalPlan;

use crate::error::Result;
use crate::policy::Principal;
use crate::policy::reads::tables_read;

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Policy {
    /// The owner of the lake, on their own machine.
    #[default]
    Unrestricted,
}

/// A plan that the principal may run, and the tables that it names.
#[derive(Debug)]
pub(crate) struct Permitted {
    pub(crate) plan: LogicalPlan,
    pub(crate) tables: BTreeSet<String>,
}

/// Permits `plan` for `principal`, who looks up bare names in `schema`, changed where the policy says so.
///
/// # Errors
/// When the policy denies a table.
pub(crate) fn apply(
    policy: Policy,
    plan: LogicalPlan,
    _principal: &Principal,
    schema: &str,
) -> Result<Permitted> {
    let tables = tables_read(&plan, schema)?;
    match policy {
        Policy::Unrestricted => Ok(Permitted { plan, tables }),
    }
}
