//! The rule.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, cast};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::optimize::aggregate_before_join::calls::{Totals, over_groups};
use crate::optimize::aggregate_before_join::groups::Groups;
use crate::optimize::aggregate_before_join::path::Path;
use crate::optimize::aggregate_before_join::sizes::pays;
use crate::rollup::meaning;
use crate::settings::Settings;

/// The rule. It comes when conditions lie where they belong, and after a rollup had its chance of the whole.
#[derive(Debug, Default)]
pub(crate) struct AggregateBeforeJoin;

impl OptimizerRule for AggregateBeforeJoin {
    fn name(&self) -> &'static str {
        "aggregate_before_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if !Settings::of(&config.options()).aggregate_before_join {
            return Ok(Transformed::no(plan));
        }
        Ok(match rewritten(aggregate)? {
            Some(rewritten) => Transformed::yes(rewritten),
            None => Transformed::no(plan),
        })
    }
}

fn rewritten(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let Some(path) = Path::down(&aggregate.input)? else { return Ok(None) };
    let mut groups = Groups::joined(Arc::clone(&path.base));
    let input = aggregate.input.schema();
    let Some(by) = grouped_by(aggregate, &path.columns, &mut groups)? else { return Ok(None) };
    let mut totals = Totals::default();
    let mut finishes = Vec::with_capacity(aggregate.aggr_expr.len());
    for call in &aggregate.aggr_expr {
        let Expr::AggregateFunction(written) = call.clone().unalias() else { return Ok(None) };
        let Some(Expr::AggregateFunction(call)) = meaning(&path.columns, call, input)? else {
            return Ok(None);
        };
        let Some(finish) = over_groups(&call, &written, input, &mut groups, &mut totals)? else {
            return Ok(None);
        };
        finishes.push(finish);
    }
    let mut steps = Vec::with_capacity(path.steps.len());
    for step in path.steps {
        let Some(step) = step.keyed(&mut groups)? else { return Ok(None) };
        steps.push(step);
    }
    // Without a key, there would be a group of no rows.
    if groups.keys() == 0 || !pays(&groups, &steps)? {
        return Ok(None);
    }
    let mut plan = groups.into_plan()?;
    for step in steps {
        let Some(above) = step.above(plan)? else { return Ok(None) };
        plan = above;
    }
    let values = Aggregate::try_new(Arc::new(plan), by, totals.into_calls())?;
    as_it_was(values, finishes, aggregate)
}

fn group(number: usize) -> String {
    format!("group {number}")
}

/// What `aggregate` groups by, over the keys of `groups`, to which it adds what it asks for; `None` where they do not tell.
/// The columns of its input are what `columns` say.
///
/// # Errors
/// When an expression cannot be walked.
pub(in crate::optimize) fn grouped_by(
    aggregate: &Aggregate,
    columns: &[Expr],
    groups: &mut Groups,
) -> Result<Option<Vec<Expr>>> {
    let mut by = Vec::with_capacity(aggregate.group_expr.len());
    for (number, expression) in aggregate.group_expr.iter().enumerate() {
        if matches!(expression, Expr::GroupingSet(_)) {
            return Ok(None);
        }
        let Some(meant) = meaning(columns, expression, aggregate.input.schema())? else { return Ok(None) };
        let Some(key) = groups.key(meant)? else { return Ok(None) };
        by.push(key.alias(group(number)));
    }
    Ok(Some(by))
}

/// The columns of `aggregate`, of those of `values`: what [`grouped_by`] gave, and `finishes` of its calls; `None` where that
/// cannot be.
///
/// # Errors
/// When the plan cannot be built.
pub(in crate::optimize) fn as_it_was(
    values: Aggregate,
    finishes: Vec<Expr>,
    aggregate: &Aggregate,
) -> Result<Option<LogicalPlan>> {
    let groups = (0..aggregate.group_expr.len()).map(|number| Expr::Column(Column::from_name(group(number))));
    let mut columns = Vec::with_capacity(aggregate.schema.fields().len());
    for ((qualifier, field), value) in aggregate.schema.iter().zip(groups.chain(finishes)) {
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

#[cfg(test)]
mod tests {
    use std::fs::File;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use tempfile::TempDir;

    use crate::engine::Engine;
    use crate::options::EngineOptions;
    use crate::policy::Principal;

    use super::*;

    const POLICY: &str = r#"{"tables": [
        {"user": "lin", "table": "invoice", "privileges": ["SELECT"], "filter": "n % 2 = 0"},
        {"user": "lin", "table": "county", "privileges": ["SELECT"]}
    ]}"#;

    fn write(lake: &TempDir, table: &str, columns: [(&str, Vec<i64>); 2]) {
        let folder = lake.path().join("tax").join(table);
        std::fs::create_dir_all(&folder).unwrap();
        let columns = columns.map(|(name, values)| (name, Arc::new(Int64Array::from(values)) as ArrayRef));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = File::create(folder.join("a.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[tokio::test]
    async fn what_the_policy_shows_is_grouped_above_its_border() {
        let lake = TempDir::new().unwrap();
        write(
            &lake,
            "invoice",
            [("n", (0..200_000).collect()), ("code", (0..200_000).map(|n| n % 9).collect())],
        );
        write(&lake, "county", [("code", (0..9).collect()), ("region", (0..9).map(|n| n % 3).collect())]);
        let policy = lake.path().join("policy.json");
        std::fs::write(&policy, POLICY).unwrap();
        let options = EngineOptions {
            lake: Some(lake.path().to_str().unwrap().parse().unwrap()),
            policy: Some(policy),
            ..EngineOptions::default()
        };
        let session = Engine::open(options).await.unwrap().session(Principal::from("lin")).unwrap();
        let sql =
            "SELECT c.region, sum(i.n) FROM tax.invoice i JOIN tax.county c ON c.code = i.code GROUP BY 1";
        let query = session.query(sql).await.unwrap();
        let plan = query.optimized().unwrap().display_indent().to_string();
        let place = |text: &str| plan.find(text).unwrap_or_else(|| panic!("no {text} in\n{plan}"));
        let groups = place("SubqueryAlias: groups before the join");
        let border = place("Permitted: tax.invoice");
        assert!(place("Inner Join") < groups && groups < border, "{plan}");
        assert!(plan[groups..border].contains("Aggregate: "), "{plan}");
        assert_eq!(query.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
    }
}
