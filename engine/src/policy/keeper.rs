//! What whoever keeps the policy asks of it.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;

use crate::audit::{AUDIT_SCHEMA, AuditTable, QUERY_TABLE};
use crate::catalog::stored_table;
use crate::engine::Engine;
use crate::error::{EngineError, Result, did_you_mean};
use crate::policy::Principal;
use crate::policy::check::{Access, access, problems};
use crate::policy::store::PolicyStore;

/// The policy, and the functions that its filters and masks may use.
#[derive(Clone)]
pub(crate) struct Governance {
    pub(crate) store: Arc<PolicyStore>,
    pub(crate) functions: Arc<SessionState>,
}

impl std::fmt::Debug for Governance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Governance").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Engine {
    /// Whether sessions are under a policy.
    #[must_use]
    pub fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// Schema and name of every table of the lake, and of the audit, whoever may see it.
    ///
    /// # Errors
    /// When the lake cannot be listed.
    pub async fn table_names(&self) -> Result<Vec<(String, String)>> {
        let mut names = match &self.lake {
            Some(lake) => lake.names().await?,
            None => Vec::new(),
        };
        let audit = (AUDIT_SCHEMA.to_owned(), QUERY_TABLE.to_owned());
        if self.audit.is_some() && !names.contains(&audit) {
            names.push(audit);
            names.sort();
        }
        Ok(names)
    }

    /// A table as it is stored, whoever may see it.
    async fn stored(&self, schema: &str, table: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        stored_table(self.audit_table().as_ref(), self.lake.as_ref(), schema, table).await
    }

    /// The records of queries as a table, where they are kept.
    pub(crate) fn audit_table(&self) -> Option<Arc<AuditTable>> {
        self.audit.clone().map(|log| Arc::new(AuditTable::new(log)))
    }

    /// What of the policy does not fit the tables that the lake has now, one sentence each; nothing without a policy.
    ///
    /// # Errors
    /// When the lake cannot be listed.
    pub async fn policy_problems(&self) -> Result<Vec<String>> {
        let Some(governance) = &self.policy else { return Ok(Vec::new()) };
        let policy = governance.store.current();
        let mut found = Vec::new();
        for (schema, table) in self.table_names().await? {
            // A table that cannot be read shows nothing to anybody.
            let Ok(Some(provider)) = self.stored(&schema, &table).await else { continue };
            let columns = provider.schema();
            found.extend(problems(&policy, &schema, &table, &columns, &governance.functions));
        }
        Ok(found)
    }

    /// What the policy lets `principal` see of a table; `None` without a policy.
    ///
    /// For the keeper of the policy: it says of a denied table that it exists.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read.
    pub async fn access(
        &self,
        principal: impl Into<Principal>,
        schema: &str,
        table: &str,
    ) -> Result<Option<Access>> {
        let Some(governance) = &self.policy else { return Ok(None) };
        let Some(provider) = self.stored(schema, table).await? else {
            let name = format!("{schema}.{table}");
            let known: Vec<String> = self
                .table_names()
                .await?
                .into_iter()
                .map(|(schema, table)| format!("{schema}.{table}"))
                .collect();
            let hint = did_you_mean(&name, known.iter().map(String::as_str), "");
            return Err(EngineError::Unknown { what: "table", name, hint });
        };
        let columns = provider.schema();
        Ok(Some(access(&governance.store.current(), &principal.into(), schema, table, &columns)))
    }
}
