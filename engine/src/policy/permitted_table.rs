//! A table as a principal may see it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;

/// Stands for its plan, which a query that names the table takes in.
#[derive(Debug)]
pub(super) struct PermittedTable {
    plan: LogicalPlan,
    columns: SchemaRef,
}

impl PermittedTable {
    pub(super) fn new(plan: LogicalPlan) -> Self {
        let columns = Arc::clone(plan.schema().inner());
        Self { plan, columns }
    }
}

#[async_trait]
impl TableProvider for PermittedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    /// As the lake's tables say: that there is a policy is nobody's business.
    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        internal_err!("a table under a policy is read through its plan alone")
    }
}
