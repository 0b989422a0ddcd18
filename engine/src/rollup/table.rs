//! A rollup as a table: the aggregates of all rows that its table has now, group by group. A group may come in several rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, Statistics, TableReference, internal_datafusion_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::catalog::{LakeFile, LakeTable};
use crate::rollup::definition::{BASE, Measure};
use crate::rollup::segments::Coverage;
use crate::rollup::store::Rollup;

/// The rollup over the table as it is when it is scanned.
#[derive(Debug)]
pub(crate) struct RollupTable {
    base: Arc<LakeTable>,
    rollup: Arc<Rollup>,
    schema: SchemaRef,
}

impl RollupTable {
    /// The rollup of `base`.
    ///
    /// # Errors
    /// When an expression of its has no type.
    pub(super) fn new(base: Arc<LakeTable>, rollup: Arc<Rollup>) -> Result<Self> {
        let schema = rollup.definition.schema()?;
        Ok(Self { base, rollup, schema })
    }

    pub(super) fn rollup(&self) -> &Arc<Rollup> {
        &self.rollup
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.rollup.name
    }

    /// Schema and name of the table whose rollup it is.
    pub(crate) fn table(&self) -> (&str, &str) {
        self.base.name()
    }

    /// The columns of its table that the column called `name` is made of.
    pub(crate) fn columns_of(&self, name: &str) -> BTreeSet<String> {
        let definition = &self.rollup.definition;
        let keys = definition.keys.iter().map(|key| (&key.text, &key.expression));
        let measures = definition.measures.iter().map(|measure| (&measure.text, &measure.argument));
        keys.chain(measures)
            .filter(|(text, _)| *text == name)
            .flat_map(|(_, expression)| expression.column_refs())
            .map(|column| column.name.clone())
            .collect()
    }

    async fn of_segments(
        &self,
        state: &dyn Session,
        coverage: &Coverage,
        projection: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if coverage.segments.is_empty() {
            return Ok(None);
        }
        let format = ParquetFormat::default().with_options(state.default_table_options().parquet);
        let source = format.file_source(TableSchema::from(Arc::clone(&self.schema)));
        let files = coverage.segments.iter().map(|(_, meta)| PartitionedFile::new_from_meta(meta.clone()));
        let groups = FileGroup::new(files.collect()).split_files(state.config().target_partitions());
        let mut statistics = Statistics::new_unknown(&self.schema);
        if let Ok(rows) = usize::try_from(coverage.rows()) {
            statistics.num_rows = Precision::Inexact(rows);
        }
        let scan = FileScanConfigBuilder::new(self.base.lake().store_url().clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .build();
        format.create_physical_plan(state, scan).await.map(Some)
    }

    /// The aggregates of files that no segment counts for.
    fn of_rest(
        &self,
        rest: Vec<LakeFile>,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<LogicalPlan> {
        let files = Arc::new(self.base.with_files(rest));
        let base = TableReference::bare(BASE);
        let mut plan = LogicalPlanBuilder::scan(base, provider_as_source(files), None)?;
        for filter in filters {
            if let Some(condition) = self.over_base(filter)? {
                plan = plan.filter(condition)?;
            }
        }
        let definition = &self.rollup.definition;
        let keys = definition.keys.iter().map(|key| key.expression.clone().alias(&key.text));
        let measures = definition.measures.iter().map(|measure| aggregate(measure).alias(&measure.text));
        let plan = plan.aggregate(keys, measures)?;
        let fields = self.schema.fields();
        let all: Vec<usize> = (0..fields.len()).collect();
        let chosen = projection.unwrap_or(&all).iter().filter_map(|place| fields.get(*place));
        // The types of a segment's columns, whatever the aggregate says of NULL.
        let columns = chosen.map(|field| Expr::Column(Column::from_name(field.name())));
        plan.project(columns)?.build()
    }

    /// A condition on keys as one on the table; `None` for any other.
    fn over_base(&self, filter: &Expr) -> Result<Option<Expr>> {
        let mut on_keys = true;
        let over = filter.clone().transform(|part| {
            let Expr::Column(column) = &part else { return Ok(Transformed::no(part)) };
            let key = self.rollup.definition.keys.iter().find(|key| key.text == column.name);
            Ok(match key {
                Some(key) => Transformed::new(
                    key.expression.clone(),
                    true,
                    datafusion::common::tree_node::TreeNodeRecursion::Jump,
                ),
                None => {
                    on_keys = false;
                    Transformed::no(part)
                }
            })
        })?;
        Ok(on_keys.then_some(over.data))
    }
}

/// The operators of `plan`, as part of others: the session's own planner would cut it for workers by itself.
async fn planned(plan: &LogicalPlan, state: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
    let optimized = state.optimize(plan)?;
    DefaultPhysicalPlanner::default().create_physical_plan(&optimized, state).await
}

/// The call that a measure is the value of.
fn aggregate(measure: &Measure) -> Expr {
    let arguments = vec![measure.argument.clone()];
    Expr::AggregateFunction(AggregateFunction::new_udf(
        measure.kind.function(),
        arguments,
        false,
        None,
        Vec::new(),
        None,
    ))
}

#[async_trait]
impl TableProvider for RollupTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They spare work, and stand above all the same.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let now = self.base.listing_now().await?;
        let coverage = self.rollup.coverage(&now.files, &now.rollups);
        let schema = project_schema(&self.schema, projection)?;
        let mut parts: Vec<Arc<dyn ExecutionPlan>> = Vec::with_capacity(2);
        parts.extend(self.of_segments(state, &coverage, projection).await?);
        if !coverage.rest.is_empty() {
            let plan = self.of_rest(coverage.rest, projection, filters)?;
            parts.push(planned(&plan, state).await?);
        }
        match parts.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => parts.pop().ok_or_else(|| internal_datafusion_err!("a part of a rollup is gone")),
            _ => UnionExec::try_new(parts),
        }
    }
}
