//! That the rows of a table which is seen in groups alone reach an answer through counts and sums, chosen by its
//! dimensions alone.
//!
//! What is allowed is listed here, and everything else is refused. Between the table and the aggregate that closes
//! it stand filters, projections, aliases and inner joins with other tables, and all that they choose or join by is a
//! function of dimensions: so every row of a cell is taken equally often. What is done with the aggregate's answer is
//! free, for it tells nothing that the answer does not.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Aggregate, Expr, Join, JoinType, LogicalPlan};

use crate::error::{EngineError, Result};
use crate::policy::barrier::Barrier;
use crate::policy::file::MinimumGroup;

/// Aggregates whose value over several cells is made of their sums, sums of squares and counts.
const ADDITIVE: [&str; 8] = ["avg", "count", "grouping", "stddev", "stddev_pop", "sum", "var", "var_pop"];

/// What a node's rows are.
enum Rows {
    /// Anybody's to see.
    Open,
    /// Those of a table that is seen in groups alone.
    Closed(Closed),
}

/// What may be done with each column, by its place.
struct Closed {
    columns: Vec<Part>,
    refusal: Refusal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Anything: a dimension, what is computed of dimensions, or a column of another table.
    Free,
    /// To be counted, each or distinct.
    Key,
    /// To be counted and summed.
    Measure,
}

/// Says what would have been allowed.
#[derive(Clone)]
struct Refusal {
    table: String,
    group: MinimumGroup,
}

/// Checks a plan that has not been optimized.
///
/// # Errors
/// When the rows of a table that is seen in groups alone go any other way.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    match rows(plan)? {
        Rows::Open => Ok(()),
        Rows::Closed(closed) => Err(closed.refusal.because("its rows are not shown")),
    }
}

fn rows(plan: &LogicalPlan) -> Result<Rows> {
    if let LogicalPlan::Extension(extension) = plan
        && let Some(barrier) = extension.node.as_any().downcast_ref::<Barrier>()
    {
        return Ok(barrier.minimum_group.as_ref().map_or(Rows::Open, |group| closed(barrier, group)));
    }
    for subquery in subqueries(plan)? {
        if let Rows::Closed(closed) = rows(&subquery)? {
            return Err(closed.refusal.because("its rows are not compared in a subquery"));
        }
    }
    let mut inputs = plan.inputs().into_iter().map(rows).collect::<Result<Vec<_>>>()?;
    if inputs.iter().all(|input| matches!(input, Rows::Open)) {
        return Ok(Rows::Open);
    }
    match (plan, inputs.as_mut_slice()) {
        (LogicalPlan::SubqueryAlias(_), [_]) => Ok(inputs.remove(0)),
        (LogicalPlan::Filter(filter), [Rows::Closed(closed)]) => {
            closed.check_free(&filter.predicate, filter.input.schema(), "a condition")?;
            Ok(inputs.remove(0))
        }
        (LogicalPlan::Projection(projection), [Rows::Closed(closed)]) => {
            let schema = projection.input.schema();
            let columns = projection.expr.iter().map(|expr| closed.part(expr, schema));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Ok(Rows::Closed(Closed { columns, refusal: closed.refusal.clone() }))
        }
        (LogicalPlan::Join(join), [left, right]) => joined(join, left, right),
        (LogicalPlan::Aggregate(aggregate), [Rows::Closed(closed)]) => {
            closed.check_aggregate(aggregate)?;
            Ok(Rows::Open)
        }
        (other, inputs) => {
            let found = inputs.iter().find_map(|input| match input {
                Rows::Closed(closed) => Some(closed.refusal.clone()),
                Rows::Open => None,
            });
            let step = other.display().to_string();
            let step = step.split([':', ' ']).next().unwrap_or_default().to_owned();
            match found {
                Some(refusal) => Err(refusal.because(&format!("{step} would see its rows"))),
                None => Ok(Rows::Open),
            }
        }
    }
}

fn closed(barrier: &Barrier, group: &MinimumGroup) -> Rows {
    let part = |name: &String| match name {
        name if group.dimensions.contains(name) => Part::Free,
        name if *name == group.key => Part::Key,
        _ => Part::Measure,
    };
    let columns = barrier.input.schema().fields().iter().map(|field| part(field.name())).collect();
    Rows::Closed(Closed { columns, refusal: Refusal { table: barrier.table.clone(), group: group.clone() } })
}

fn joined(join: &Join, left: &Rows, right: &Rows) -> Result<Rows> {
    let (closed, open) = match (left, right) {
        (Rows::Closed(closed), Rows::Open) => (closed, &join.right),
        (Rows::Open, Rows::Closed(closed)) => (closed, &join.left),
        (Rows::Closed(closed), Rows::Closed(_)) => {
            return Err(closed.refusal.because("it is not joined with a table that is seen in groups alone"));
        }
        (Rows::Open, Rows::Open) => return Ok(Rows::Open),
    };
    if join.join_type != JoinType::Inner {
        return Err(closed.refusal.because("it is joined by inner joins alone"));
    }
    // A lateral subquery is made anew for each row, and may depend on all of it.
    let mut depends = false;
    open.apply(|node| {
        let looks_out = |expr: &Expr| expr.exists(|part| Ok(matches!(part, Expr::OuterReferenceColumn(..))));
        depends |= matches!(node, LogicalPlan::Subquery(_));
        for expr in node.expressions() {
            depends |= looks_out(&expr)?;
        }
        Ok(if depends { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if depends {
        return Err(closed.refusal.because("it is not joined with a lateral subquery"));
    }
    let free = vec![Part::Free; open.schema().fields().len()];
    let columns = match left {
        Rows::Closed(_) => [closed.columns.as_slice(), &free].concat(),
        Rows::Open => [free.as_slice(), &closed.columns].concat(),
    };
    let joined = Closed { columns, refusal: closed.refusal.clone() };
    let keys = join.on.iter().flat_map(|(left, right)| [left, right]);
    for condition in keys.chain(&join.filter) {
        joined.check_free(condition, &join.schema, "a join")?;
    }
    Ok(Rows::Closed(joined))
}

impl Closed {
    fn check_aggregate(&self, aggregate: &Aggregate) -> Result<()> {
        let schema = aggregate.input.schema();
        for group in &aggregate.group_expr {
            self.check_free(group, schema, "a group")?;
        }
        aggregate.aggr_expr.iter().try_for_each(|expr| self.check_function(expr, schema))
    }

    fn check_function(&self, expr: &Expr, schema: &DFSchema) -> Result<()> {
        let Expr::AggregateFunction(call) = expr.clone().unalias_nested().data else {
            return Err(self.refusal.because("something is aggregated that is no call of a function"));
        };
        let name = call.func.name().to_owned();
        if !ADDITIVE.contains(&name.as_str()) {
            return Err(self.refusal.because(&format!("{name} may tell a single value")));
        }
        let parameters = &call.params;
        if !parameters.order_by.is_empty() {
            return Err(self.refusal.because(&format!("{name} has an ORDER BY")));
        }
        if let Some(condition) = &parameters.filter {
            self.check_free(condition, schema, "a FILTER")?;
        }
        for argument in &parameters.args {
            let part = match argument {
                Expr::Column(column) => self.part_of(column, schema)?,
                argument => {
                    self.check_free(argument, schema, "what is summed, unless it is a column by itself,")?;
                    Part::Free
                }
            };
            if part == Part::Key && name != "count" {
                return Err(self.refusal.because("its key is only counted"));
            }
            if part == Part::Measure && parameters.distinct {
                return Err(self.refusal.because("DISTINCT is for its key and its dimensions"));
            }
        }
        Ok(())
    }

    /// What may be done with the value of `expr`.
    fn part(&self, expr: &Expr, schema: &DFSchema) -> Result<Part> {
        match expr.clone().unalias_nested().data {
            Expr::Column(column) => self.part_of(&column, schema),
            other => self.check_free(&other, schema, "what is computed").map(|()| Part::Free),
        }
    }

    fn part_of(&self, column: &Column, schema: &DFSchema) -> Result<Part> {
        let place = schema.index_of_column(column)?;
        self.columns.get(place).copied().ok_or_else(|| EngineError::Defect {
            reason: "a column of a closed table has no part".to_owned(),
        })
    }

    /// That `expr` is the same for all rows of a cell; `what` it is begins a sentence.
    fn check_free(&self, expr: &Expr, schema: &DFSchema, what: &str) -> Result<()> {
        if expr.is_volatile() {
            return Err(self.refusal.because(&format!("{what} gives another value each time")));
        }
        let reaches_out = expr.exists(|part| {
            Ok(matches!(
                part,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
                    | Expr::OuterReferenceColumn(..)
                    | Expr::WindowFunction(_)
                    | Expr::AggregateFunction(_)
                    | Expr::Unnest(_)
            ))
        })?;
        if reaches_out {
            return Err(self.refusal.because(&format!("{what} does more than look at its dimensions")));
        }
        let columns: BTreeSet<&Column> = expr.column_refs().into_iter().collect();
        for column in columns {
            if self.part_of(column, schema)? != Part::Free {
                return Err(self.refusal.because(&format!("{what} looks at {}", column.name)));
            }
        }
        Ok(())
    }
}

impl Refusal {
    fn because(&self, reason: &str) -> EngineError {
        let by = match self.group.dimensions.as_slice() {
            [] => "without conditions and groups on it".to_owned(),
            dimensions => format!("with conditions, joins and groups on {} alone", dimensions.join(", ")),
        };
        EngineError::NotAllowed {
            what: format!("this way of reading {}", self.table),
            reason: format!(
                "{reason}; the policy shows it in groups of at least {} alone: take count, sum, avg, stddev or var of \
                 its columns, or count(DISTINCT {}), {by}",
                self.group.size, self.group.key
            ),
        }
    }
}

fn subqueries(plan: &LogicalPlan) -> Result<Vec<LogicalPlan>> {
    let mut found = Vec::new();
    plan.apply_subqueries(|subquery| {
        found.push(subquery.clone());
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
