//! Execution in this process.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use crate::error::Result;

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// Returns rows and changes nothing.
    Query,
    /// Changes the catalog or a table, or writes files.
    Change,
    /// Session settings.
    Setting,
}

/// A planned and permitted statement, not yet run.
#[derive(Debug)]
pub struct Query {
    frame: DataFrame,
    schema: SchemaRef,
}

impl Query {
    pub(crate) fn new(frame: DataFrame) -> Self {
        let schema = std::sync::Arc::clone(frame.schema().inner());
        Self { frame, schema }
    }

    /// The schema of every batch that [`Query::execute`] yields.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        std::sync::Arc::clone(&self.schema)
    }

    /// What the statement does.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        match self.frame.logical_plan() {
            LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Copy(_) => StatementKind::Change,
            LogicalPlan::Statement(_) => StatementKind::Setting,
            _ => StatementKind::Query,
        }
    }

    /// The logical plan.
    #[must_use]
    pub fn logical_plan(&self) -> &LogicalPlan {
        self.frame.logical_plan()
    }

    /// Runs the statement; rows arrive as they are made.
    ///
    /// # Errors
    /// When planning to operators or starting them fails.
    pub async fn execute(self) -> Result<SendableRecordBatchStream> {
        Ok(self.frame.execute_stream().await?)
    }

    /// Runs the statement and gathers all rows in memory.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        Ok(self.execute().await?.try_collect().await?)
    }
}
