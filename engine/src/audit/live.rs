//! Queries that have not left their last record yet, in the form of `audit.query`.

use std::sync::Arc;

use arrow_json::writer::{LineDelimited, WriterBuilder};
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use serde::Serialize;
use serde_json::{Map, Value};

use super::table::columns;
use super::{AUDIT_SCHEMA, Audit, QUERY_TABLE};
use crate::catalog::CATALOG;
use crate::error::{EngineError, Result};
use crate::policy::{Principal, apply};
use crate::session::Session;

/// Characters of a text, elements of a list, and characters of one of those, that are kept of a query.
const LONGEST_TEXT: usize = 8_000;
const LONGEST_LIST: usize = 100;
const LONGEST_ELEMENT: usize = 200;

/// What the columns of `audit.query` say of one query; a column that is not shown is missing. Long texts and lists are
/// cut off.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct LiveQuery(Map<String, Value>);

impl LiveQuery {
    /// What is known of a query before it runs.
    pub(crate) fn of(audit: &Audit) -> Self {
        let Ok(Value::Object(record)) = audit.begun() else { return Self::default() };
        let columns = columns();
        let shown = record.into_iter().filter(|(name, _)| columns.field_with_name(name).is_ok());
        Self(shown.map(|(name, value)| (name, shortened(value, LONGEST_TEXT))).collect())
    }

    /// One column; `None` where it is NULL or not shown.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.get(column).filter(|value| !value.is_null())
    }

    /// One column of text; empty where it is NULL or not shown.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.get(column).and_then(Value::as_str).unwrap_or_default()
    }

    /// Says what has become of it: a column of `audit.query`, or of whoever shows it.
    pub fn set(&mut self, column: &str, value: impl Into<Value>) {
        self.0.insert(column.to_owned(), shortened(value.into(), LONGEST_TEXT));
    }
}

impl Session {
    /// `queries` as the policy shows `audit.query` to the principal, with the filter, masks and hidden columns of its
    /// rule; none to whom it does not show that table.
    ///
    /// # Errors
    /// When the rule does not fit the table.
    pub async fn audited(&self, queries: &[LiveQuery]) -> Result<Vec<LiveQuery>> {
        let mut rows = arrow_json::ReaderBuilder::new(columns())
            .with_batch_size(queries.len().max(1))
            .build_decoder()
            .map_err(DataFusionError::from)?;
        rows.serialize(queries).map_err(DataFusionError::from)?;
        let Some(rows) = rows.flush().map_err(DataFusionError::from)? else { return Ok(Vec::new()) };
        let stored: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(columns(), vec![vec![rows]])?);
        let shown = match &self.authority {
            Some(authority) => authority.permit(AUDIT_SCHEMA, QUERY_TABLE, stored)?,
            None => Some(stored).filter(|_| self.principal == Principal::local()),
        };
        let Some(shown) = shown else { return Ok(Vec::new()) };
        let name = TableReference::full(CATALOG, AUDIT_SCHEMA, QUERY_TABLE);
        let plan = LogicalPlanBuilder::scan(name, provider_as_source(shown), None)?.build()?;
        let permitted = match apply(self.authority.as_ref(), plan, AUDIT_SCHEMA) {
            Ok(permitted) => permitted,
            // Seen in groups alone: no row of it is shown.
            Err(EngineError::NotAllowed { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let seen = DataFrame::new(self.context.state(), permitted.plan).collect().await?;
        let mut lines = WriterBuilder::new().build::<_, LineDelimited>(Vec::new());
        for batch in &seen {
            lines.write(batch).map_err(DataFusionError::from)?;
        }
        lines.finish().map_err(DataFusionError::from)?;
        let lines = lines.into_inner();
        let lines = serde_json::Deserializer::from_slice(&lines).into_iter::<Map<String, Value>>();
        let unread = |error: serde_json::Error| EngineError::Defect { reason: error.to_string() };
        lines.map(|line| line.map(LiveQuery).map_err(unread)).collect()
    }
}

fn shortened(value: Value, longest: usize) -> Value {
    match value {
        Value::String(text) => Value::String(match text.char_indices().nth(longest) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }),
        Value::Array(values) => {
            let more = values.len() > LONGEST_LIST;
            let kept = values.into_iter().take(LONGEST_LIST).map(|value| shortened(value, LONGEST_ELEMENT));
            kept.chain(more.then(|| Value::from("…"))).collect()
        }
        value => value,
    }
}
