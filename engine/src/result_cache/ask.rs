//! How a session asks for what is known of a statement.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use super::StatementKey;
use crate::audit::Audit;
use crate::execute::{Asked, StatementKind, Work};
use crate::session::{Plan, Session};

impl Session {
    /// By what `sql` is remembered, if anything is: what else its meaning hangs on is in the key, or its names are those of
    /// the lake alone.
    pub(crate) fn statement_key(
        &self,
        sql: &str,
        values: &[ScalarValue],
        audit: &Audit,
    ) -> Option<StatementKey> {
        let remembered = self.engine.results.is_some() && values.is_empty() && self.catalog.is_lake_alone();
        remembered
            .then(|| StatementKey::new(sql, &self.principal, &audit.policy, &self.context.state_ref().read()))
    }

    /// The plan of a statement that was asked before, if no file of its tables has changed.
    pub(crate) async fn known(&self, key: &StatementKey, audit: &mut Audit) -> Option<Plan> {
        let (Some(results), Some(lake)) = (&self.engine.results, &self.engine.lake) else { return None };
        let known = results.statement(key)?;
        lake.begin_query();
        if !known.still_holds().await.unwrap_or(false) {
            // Planning says what is wrong, if something is.
            results.forget(key);
            return None;
        }
        let planned = &known.planned;
        audit.tables = planned.tables.clone();
        audit.columns = planned.columns.clone();
        Some(Plan {
            plan: planned.plan.clone(),
            kind: StatementKind::Query,
            schema: Arc::clone(&planned.schema),
            work: Work::Rows(known.optimized.clone()),
            state: self.state(),
            asked: Asked::Before(known),
        })
    }
}
