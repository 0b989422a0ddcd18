//! Where a table is found, whoever may see it.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use crate::audit::{AUDIT_SCHEMA, AuditTable, QUERY_TABLE};
use crate::catalog::Lake;
use crate::error::Result;

/// A table as it is stored: the audit before a table of the lake with its name; `None` when there is none.
///
/// # Errors
/// When the lake cannot be listed, or the table cannot be read.
pub(crate) async fn stored_table(
    audit: Option<&Arc<AuditTable>>,
    lake: Option<&Arc<Lake>>,
    schema: &str,
    table: &str,
) -> Result<Option<Arc<dyn TableProvider>>> {
    match (audit, lake) {
        (Some(audit), _) if (schema, table) == (AUDIT_SCHEMA, QUERY_TABLE) => {
            Ok(Some(Arc::clone(audit) as Arc<dyn TableProvider>))
        }
        (_, Some(lake)) => lake.table(schema, table).await,
        (_, None) => Ok(None),
    }
}
