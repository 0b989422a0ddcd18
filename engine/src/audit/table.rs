//! `audit.query`: the records as a table, one row a query.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{JoinType, Result};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::scalar::ScalarValue;
use futures::{StreamExt, stream};

use super::AuditLog;

/// The schema of [`QUERY_TABLE`].
pub(crate) const AUDIT_SCHEMA: &str = "audit";
/// The table of queries.
pub(crate) const QUERY_TABLE: &str = "query";

const ROWS_PER_BATCH: usize = 8192;

/// What was asked, one row a query, as far as it had been written when the scan began.
///
/// | column | type | |
/// |---|---|---|
/// | `query` | BIGINT | number of the query's first record |
/// | `id` | VARCHAR | what the log and the errors of the query carry |
/// | `began_at` | TIMESTAMP | |
/// | `ended_at` | TIMESTAMP | NULL while it runs, and for ever when the process was killed |
/// | `who` | VARCHAR | the principal |
/// | `groups` | list | the principal's groups then, of the policy and of who authenticated them, sorted |
/// | `roles` | list | the principal's roles of the policy then, sorted |
/// | `sql` | VARCHAR | as it was sent |
/// | `parameters` | list | the values that were bound, as text, in order |
/// | `tables` | list | `schema.table`, sorted |
/// | `columns` | list | `schema.table.column` that were read, sorted |
/// | `policy` | VARCHAR | version of the policy, or `unrestricted` |
/// | `outcome` | VARCHAR | `done`, `cancelled`, `refused`, `failed`, or `unfinished` without an end |
/// | `error` | VARCHAR | what went wrong |
/// | `rows` | BIGINT | rows that were delivered; NULL without an end |
/// | `milliseconds` | BIGINT | from planning to the end; NULL without an end |
#[derive(Debug)]
pub(crate) struct AuditTable {
    log: Arc<AuditLog>,
    columns: SchemaRef,
}

impl AuditTable {
    pub(crate) fn new(log: Arc<AuditLog>) -> Self {
        Self { log, columns: columns() }
    }

    fn queries(&self) -> Result<LogicalPlan> {
        let ends = || self.records()?.filter(col("event").eq(lit("end")));
        let ended =
            ends()?.project(self.columns.fields().iter().map(|field| match field.name().as_str() {
                "ended_at" => col("written_at").alias("ended_at"),
                name => col(name),
            }))?;
        let begun = self.records()?.filter(col("event").eq(lit("begin")))?.alias("begun")?;
        let left_open = begun.join(
            ends()?.alias("ended")?.build()?,
            JoinType::LeftAnti,
            (vec!["begun.query"], vec!["ended.query"]),
            None,
        )?;
        let left_open = left_open.project(self.columns.fields().iter().map(|field| {
            match field.name().as_str() {
                "ended_at" => lit(ScalarValue::try_new_null(field.data_type()).unwrap_or(ScalarValue::Null))
                    .alias("ended_at"),
                "outcome" => lit("unfinished").alias("outcome"),
                name => col(name),
            }
        }))?;
        ended.union(left_open.build()?)?.build()
    }

    fn records(&self) -> Result<LogicalPlanBuilder> {
        let schema = line_schema(&self.columns);
        let partitions = self
            .log
            .whole()?
            .into_iter()
            .map(|(path, bytes)| {
                Arc::new(Records { path, bytes, schema: Arc::clone(&schema) }) as Arc<dyn PartitionStream>
            })
            .collect();
        let table = StreamingTable::try_new(schema, partitions)?;
        LogicalPlanBuilder::scan("record", provider_as_source(Arc::new(table)), None)
    }
}

#[async_trait]
impl TableProvider for AuditTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut plan = LogicalPlanBuilder::from(self.queries()?).limit(0, limit)?;
        if let Some(projection) = projection {
            plan = plan.select(projection.iter().copied())?;
        }
        state.create_physical_plan(&plan.build()?).await
    }
}

/// The columns of the table.
pub(super) fn columns() -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let texts = || DataType::new_list(DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        Field::new("query", DataType::Int64, true),
        Field::new("id", DataType::Utf8, true),
        Field::new("began_at", time(), true),
        Field::new("ended_at", time(), true),
        Field::new("who", DataType::Utf8, true),
        Field::new("groups", texts(), true),
        Field::new("roles", texts(), true),
        Field::new("sql", DataType::Utf8, true),
        Field::new("parameters", texts(), true),
        Field::new("tables", texts(), true),
        Field::new("columns", texts(), true),
        Field::new("policy", DataType::Utf8, true),
        Field::new("outcome", DataType::Utf8, true),
        Field::new("error", DataType::Utf8, true),
        Field::new("rows", DataType::Int64, true),
        Field::new("milliseconds", DataType::Int64, true),
    ]))
}

/// What is read of a line.
fn line_schema(columns: &Schema) -> SchemaRef {
    let mut fields = vec![Field::new("event", DataType::Utf8, true)];
    fields.extend(columns.fields().iter().map(|field| match field.name().as_str() {
        "ended_at" => field.as_ref().clone().with_name("written_at"),
        _ => field.as_ref().clone(),
    }));
    Arc::new(Schema::new(fields))
}

/// The whole records of one file.
#[derive(Debug)]
struct Records {
    path: PathBuf,
    bytes: u64,
    schema: SchemaRef,
}

impl Records {
    fn read(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + 'static> {
        let file = BufReader::new(File::open(&self.path)?.take(self.bytes));
        let reader = arrow_json::ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(ROWS_PER_BATCH)
            .build(file)?;
        Ok(reader.map(|batch| Ok(batch?)))
    }
}

impl PartitionStream for Records {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = match self.read() {
            Ok(batches) => stream::iter(batches).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        };
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
