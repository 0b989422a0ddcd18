//! The gate that every plan passes.

use std::collections::BTreeSet;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use crate::audit::{AUDIT_SCHEMA, Audit, AuditTable, QUERY_TABLE};
use crate::catalog::LakeTable;
use crate::error::{EngineError, Result};
use crate::policy::Memberships;
use crate::policy::aggregates_alone;
use crate::policy::authority::Authority;
use crate::policy::barrier::Barrier;
use crate::policy::reads::tables_read;

/// What a session without a policy has for a version in the audit.
pub(crate) const UNRESTRICTED: &str = "unrestricted";

/// A plan that the principal may run.
#[derive(Debug)]
pub(crate) struct Permitted {
    pub(crate) plan: LogicalPlan,
    /// The tables that it names.
    pub(crate) tables: BTreeSet<String>,
    /// The policy that permits it.
    pub(crate) version: String,
    /// Those of whoever asks, to that policy; none without one.
    pub(crate) memberships: Option<Memberships>,
}

impl Permitted {
    /// Notes by what right the plan runs; returns it.
    pub(crate) fn noted(self, audit: &mut Audit) -> LogicalPlan {
        audit.tables = self.tables;
        audit.policy = self.version;
        if let Some(memberships) = self.memberships {
            audit.memberships = memberships;
        }
        self.plan
    }
}

/// Permits `plan`, of a session that looks up bare names in `schema`; without an authority, anything.
///
/// The catalog gives a principal nothing that they may not see. This is the second look, at the plan itself: whatever
/// way a table came into it, it is whole to the principal or behind a border of the policy that is in force now.
///
/// # Errors
/// When the policy does not permit it.
pub(crate) fn apply(authority: Option<&Authority>, plan: LogicalPlan, schema: &str) -> Result<Permitted> {
    let tables = tables_read(&plan, schema)?;
    let (version, memberships) = match authority {
        None => (UNRESTRICTED.to_owned(), None),
        Some(authority) => {
            let (version, memberships) = authority.standing();
            check(authority, &version, &plan)?;
            aggregates_alone::check(&plan)?;
            (version, Some(memberships))
        }
    };
    Ok(Permitted { plan, tables, version, memberships })
}

/// That the policy which permitted a plan is still the one in force.
///
/// # Errors
/// When it has changed.
pub(crate) fn still_permitted(authority: Option<&Authority>, version: &str) -> Result<()> {
    match authority {
        Some(authority) if authority.version() != version => Err(changed()),
        _ => Ok(()),
    }
}

fn changed() -> EngineError {
    EngineError::Stale { what: "the policy".to_owned() }
}

fn check(authority: &Authority, version: &str, plan: &LogicalPlan) -> Result<()> {
    let mut refused = None;
    let mut behind_border = false;
    plan.apply_with_subqueries(|node| {
        let denied = match node {
            LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Barrier>() {
                Some(barrier) => {
                    behind_border = true;
                    if barrier.version != version {
                        Some(changed())
                    } else if barrier.user != authority.user() {
                        Some(defect("a plan was made for another principal"))
                    } else {
                        return Ok(TreeNodeRecursion::Jump);
                    }
                }
                None => None,
            },
            LogicalPlan::TableScan(scan) => bare_scan(authority, scan)?,
            _ => None,
        };
        match denied {
            Some(error) => {
                refused = Some(error);
                Ok(TreeNodeRecursion::Stop)
            }
            None => Ok(TreeNodeRecursion::Continue),
        }
    })?;
    if let Some(error) = refused {
        return Err(error);
    }
    // A plan shows the rules, and how many rows there were before them.
    if behind_border && let LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) = plan {
        return Err(EngineError::NotAllowed {
            what: "EXPLAIN".to_owned(),
            reason:
                "it would show rules and row counts of a table that you see in part; run the query itself"
                    .to_owned(),
        });
    }
    Ok(())
}

fn bare_scan(authority: &Authority, scan: &TableScan) -> datafusion::common::Result<Option<EngineError>> {
    let provider = source_as_provider(&scan.source)?;
    let any: &dyn std::any::Any = provider.as_ref();
    let (schema, table) = match any.downcast_ref::<LakeTable>() {
        Some(stored) => stored.name(),
        None if any.is::<AuditTable>() => (AUDIT_SCHEMA, QUERY_TABLE),
        None => return Ok(None),
    };
    let columns = provider.schema();
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    if authority.shows_all(schema, table, &names) {
        return Ok(None);
    }
    // It was whole to the principal when it was looked up.
    Ok(Some(changed()))
}

fn defect(reason: &str) -> EngineError {
    EngineError::Defect { reason: reason.to_owned() }
}
