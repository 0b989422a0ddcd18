//! Optimizer rule: an aggregate over a table is answered from a rollup of it that has what is asked.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, cast};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::catalog::LakeTable;
use crate::rollup::combine::combined;
use crate::rollup::definition::simplifier;
use crate::rollup::keyed::Keyed;
use crate::rollup::rebuild::rebuilt;
use crate::rollup::store::Rollup;
use crate::rollup::table::RollupTable;
use crate::settings::Settings;

/// A rollup is used whose segments count for at least one in so many bytes of the table.
const SHARE: u64 = 2;

/// The rule. It stands before conditions are moved into scans.
#[derive(Debug, Default)]
pub(crate) struct AnswerFromRollups;

impl OptimizerRule for AnswerFromRollups {
    fn name(&self) -> &'static str {
        "answer_from_rollups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if !Settings::of(&config.options()).rollups {
            return Ok(Transformed::no(plan));
        }
        for (rows, table) in candidates(&aggregate.input)? {
            match answered(aggregate, &table, config) {
                Ok(Some(answered)) => {
                    tracing::debug!(rollup = table.name(), rows, "answered from a rollup");
                    return Ok(Transformed::yes(answered));
                }
                Ok(None) => {}
                // The table answers all the same.
                Err(error) => tracing::warn!(rollup = table.name(), %error, "a rollup cannot be asked"),
            }
        }
        Ok(Transformed::no(plan))
    }
}

/// The rollups of the tables below that count for most of them, those with the fewest rows first.
fn candidates(input: &LogicalPlan) -> Result<Vec<(u64, Arc<RollupTable>)>> {
    let mut found: Vec<(u64, Arc<LakeTable>, Arc<Rollup>)> = Vec::new();
    input.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let any: Arc<dyn Any + Send + Sync> = provider;
            if let Ok(table) = any.downcast::<LakeTable>() {
                for rollup in table.rollups() {
                    let coverage = rollup.coverage(table.listed_files(), table.rollup_files());
                    let all = coverage.covered_bytes + coverage.rest_bytes;
                    if coverage.covered_bytes > 0 && coverage.covered_bytes >= all / SHARE {
                        found.push((coverage.rows(), Arc::clone(&table), Arc::clone(rollup)));
                    }
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.2.name.cmp(&b.2.name)));
    found
        .into_iter()
        .map(|(rows, table, rollup)| Ok((rows, Arc::new(RollupTable::new(table, rollup)?))))
        .collect()
}

fn answered(
    aggregate: &Aggregate,
    table: &Arc<RollupTable>,
    config: &dyn OptimizerConfig,
) -> Result<Option<LogicalPlan>> {
    let definition = &table.rollup().definition;
    let (schema, name) = table.table();
    let relation = TableReference::partial(schema, format!("{name} (rollup {})", table.name()));
    let simplifier = simplifier(&definition.base, &config.options());
    let keyed = Keyed { definition, relation: &relation, simplifier: &simplifier };
    let Some(below) = rebuilt(&aggregate.input, table, &keyed)? else { return Ok(None) };
    let input = aggregate.input.schema();
    let mut groups = Vec::with_capacity(aggregate.group_expr.len());
    for (number, group) in aggregate.group_expr.iter().enumerate() {
        if matches!(group, Expr::GroupingSet(_)) {
            return Ok(None);
        }
        let Some(mapped) = below.over_keys(group, input, &keyed)? else { return Ok(None) };
        groups.push(mapped.alias(format!("group {number}")));
    }
    let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
    let mut finishes = Vec::with_capacity(aggregate.aggr_expr.len());
    for call in &aggregate.aggr_expr {
        let Some(Expr::AggregateFunction(call)) = below.meaning(call, input)? else { return Ok(None) };
        let Some(made) = combined(&keyed, &call)? else { return Ok(None) };
        let mut values = Vec::with_capacity(made.calls.len());
        for call in &made.calls {
            let name = format!("value {}", calls.len());
            calls.push(call.clone().alias(&name));
            values.push(Expr::Column(Column::from_name(name)));
        }
        let Some(finished) = made.finished(values) else { return Ok(None) };
        finishes.push(finished);
    }
    let values = Aggregate::try_new(Arc::new(below.plan), groups, calls)?;
    let found = (0..aggregate.group_expr.len())
        .map(|number| Expr::Column(Column::from_name(format!("group {number}"))))
        .chain(finishes);
    let mut columns = Vec::with_capacity(aggregate.schema.fields().len());
    for ((qualifier, field), value) in aggregate.schema.iter().zip(found) {
        // A sum of sums has more digits than the sum that it is.
        let value = match value.get_type(values.schema.as_ref())? == *field.data_type() {
            true => value,
            false => cast(value, field.data_type().clone()),
        };
        columns.push(value.alias_qualified(qualifier.cloned(), field.name()));
    }
    let plan = Projection::try_new(columns, Arc::new(LogicalPlan::Aggregate(values)))?;
    let same = plan.schema.logically_equivalent_names_and_types(&aggregate.schema);
    Ok(same.then_some(LogicalPlan::Projection(plan)))
}
