//! What one principal may see, by the policy that is in force when a query is planned.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchema, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan, LogicalPlanBuilder, col};

use crate::catalog::CATALOG;
use crate::error::{EngineError, Result};
use crate::policy::barrier::Barrier;
use crate::policy::expression;
use crate::policy::file::Privilege;
use crate::policy::minimum_group;
use crate::policy::permitted_table::PermittedTable;
use crate::policy::rules::{ColumnView, Decision, Permission, Policy};
use crate::policy::store::PolicyStore;
use crate::policy::{Memberships, Principal};

/// A principal under a policy.
#[derive(Clone)]
pub(crate) struct Authority {
    store: Arc<PolicyStore>,
    principal: Principal,
    /// Knows the functions that filters and masks may use.
    functions: Arc<SessionState>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("policy", &self.store.path())
            .field("user", &self.principal.name)
            .finish_non_exhaustive()
    }
}

impl Authority {
    pub(crate) fn new(store: Arc<PolicyStore>, principal: Principal, functions: Arc<SessionState>) -> Self {
        Self { store, principal, functions }
    }

    pub(crate) fn user(&self) -> &str {
        &self.principal.name
    }

    /// The version of the policy in force.
    pub(crate) fn version(&self) -> String {
        self.store.current().version().to_owned()
    }

    /// The policy in force, and whom this is about.
    pub(super) fn policy_and_principal(&self) -> (Arc<Policy>, &Principal) {
        (self.store.current(), &self.principal)
    }

    /// Whether the principal sees a table in groups of persons alone.
    pub(crate) fn shows_groups_alone(&self, schema: &str, table: &str) -> Option<u32> {
        let policy = self.store.current();
        match policy.decide(&policy.subject(&self.principal), schema, table) {
            Decision::Permitted(permission) => permission.minimum_group.map(|group| group.size),
            Decision::Denied(_) => None,
        }
    }

    /// That version, and what the principal is to it.
    pub(crate) fn standing(&self) -> (String, Memberships) {
        let policy = self.store.current();
        (policy.version().to_owned(), policy.subject(&self.principal).memberships())
    }

    /// Whether the principal may know of a table.
    pub(crate) fn shows_table(&self, schema: &str, table: &str) -> bool {
        let policy = self.store.current();
        matches!(policy.decide(&policy.subject(&self.principal), schema, table), Decision::Permitted(_))
    }

    /// Whether the principal holds a privilege on a table, which need not exist.
    pub(crate) fn grants(&self, schema: &str, table: &str, privilege: Privilege) -> bool {
        let policy = self.store.current();
        policy.grants(&policy.subject(&self.principal), schema, table, privilege)
    }

    /// Whether the principal may know of a schema.
    pub(crate) fn shows_schema(&self, schema: &str) -> bool {
        let policy = self.store.current();
        policy.shows_schema(&policy.subject(&self.principal), schema)
    }

    /// Whether the principal sees every row and column of a table with these columns as it is stored.
    pub(crate) fn shows_all(&self, schema: &str, table: &str, columns: &[&str]) -> bool {
        let policy = self.store.current();
        match policy.decide(&policy.subject(&self.principal), schema, table) {
            Decision::Denied(_) => false,
            Decision::Permitted(permission) => is_whole(&policy, &permission, schema, table, columns),
        }
    }

    /// `stored` as the principal may see it; `None` when they may not know that it exists.
    ///
    /// # Errors
    /// When a rule does not fit the table: nothing of it is shown then.
    pub(crate) fn permit(
        &self,
        schema: &str,
        table: &str,
        stored: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let policy = self.store.current();
        let permission = match policy.decide(&policy.subject(&self.principal), schema, table) {
            Decision::Denied(_) => return Ok(None),
            Decision::Permitted(permission) => permission,
        };
        let columns = stored.schema();
        let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
        if is_whole(&policy, &permission, schema, table, &names) {
            return Ok(Some(stored));
        }
        let name = TableReference::full(CATALOG, schema, table);
        let typed = DFSchema::try_from_qualified_schema(name.clone(), &columns)?;
        let unfit = |place: &str, reason: String| EngineError::NotAllowed {
            what: format!("reading {schema}.{table}"),
            // Not the rule itself: it may name columns and values that the principal may not see.
            reason: {
                tracing::error!(
                    target: "tithe::policy",
                    policy = policy.version(),
                    table = format!("{schema}.{table}"),
                    "{place}: {reason}",
                );
                "a rule of the policy does not fit this table; ask who keeps the policy (`tithe policy check` \
                 says which)"
                    .to_owned()
            },
        };
        let mut plan = LogicalPlanBuilder::scan(name.clone(), provider_as_source(stored), None)?;
        for (place, sql) in &permission.filters {
            let condition = expression::filter(sql, &typed, self.user(), &self.functions)
                .map_err(|reason| unfit(place, reason))?;
            plan = plan.filter(condition)?;
        }
        let mut shown = Vec::new();
        let mut masked = BTreeSet::new();
        for field in columns.fields() {
            match policy.column(&permission, schema, table, field.name()) {
                ColumnView::Hidden => {}
                ColumnView::Shown => {
                    shown.push(col(datafusion::common::Column::new(Some(name.clone()), field.name())))
                }
                ColumnView::Masked(sql) => {
                    let value =
                        expression::mask(sql, field.data_type(), &typed, self.user(), &self.functions)
                            .map_err(|reason| unfit(&format!("tables, entry {}", permission.rule), reason))?;
                    masked.insert(field.name().clone());
                    shown.push(value.alias_qualified(Some(name.clone()), field.name()));
                }
            }
        }
        // The number of its rows is something to see as well.
        if shown.is_empty() {
            return Ok(None);
        }
        let input = match permission.minimum_group {
            None => plan.project(shown)?.build()?,
            Some(group) => {
                minimum_group::check(group, &columns)
                    .map_err(|reason| unfit(&format!("tables, entry {}", permission.rule), reason))?;
                minimum_group::large_cells(plan.build()?, shown, group, &name)?
            }
        };
        let barrier = Barrier {
            input,
            table: format!("{schema}.{table}"),
            user: self.user().to_owned(),
            version: policy.version().to_owned(),
            masked,
            minimum_group: permission.minimum_group.cloned(),
        };
        let permitted = LogicalPlan::Extension(Extension { node: Arc::new(barrier) });
        Ok(Some(Arc::new(PermittedTable::new(permitted))))
    }
}

fn is_whole(
    policy: &Policy,
    permission: &Permission<'_>,
    schema: &str,
    table: &str,
    columns: &[&str],
) -> bool {
    permission.filters.is_empty()
        && permission.minimum_group.is_none()
        && columns.iter().all(|column| policy.column(permission, schema, table, column) == ColumnView::Shown)
}
