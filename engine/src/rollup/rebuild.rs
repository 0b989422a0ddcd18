//! What lies below an aggregate, over a rollup in the place of its table.
//!
//! Between the two may stand what takes or leaves rows by the keys alone, and rows of other tables that are joined by them:
//! every row of a group meets the same, and so does the group.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, TableReference};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Expr, Extension, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, TableScan,
};

use crate::catalog::LakeTable;
use crate::policy::Barrier;
use crate::rollup::definition::BASE;
use crate::rollup::keyed::Keyed;
use crate::rollup::table::RollupTable;

/// A plan over the rollup, and what each column of the plan over the table is: an expression over the table's columns,
/// qualified by [`BASE`], and columns of the new plan that come from other tables.
pub(super) struct Rebuilt {
    pub(super) plan: LogicalPlan,
    pub(super) columns: Vec<Expr>,
}

/// Builds `plan` over the rollup; `None` when it asks for more than keys, or does what a rollup does not bear.
///
/// # Errors
/// When an expression cannot be walked.
pub(super) fn rebuilt(
    plan: &LogicalPlan,
    with: &Arc<RollupTable>,
    keyed: &Keyed<'_>,
) -> Result<Option<Rebuilt>> {
    match plan {
        LogicalPlan::TableScan(scan) => of_scan(scan, with, keyed),
        LogicalPlan::SubqueryAlias(alias) => rebuilt(&alias.input, with, keyed),
        LogicalPlan::Filter(filter) => {
            let Some(below) = rebuilt(&filter.input, with, keyed)? else { return Ok(None) };
            filtered(below, std::iter::once(&filter.predicate), filter.input.schema(), keyed)
        }
        LogicalPlan::Projection(projection) => {
            let Some(below) = rebuilt(&projection.input, with, keyed)? else { return Ok(None) };
            let schema = projection.input.schema();
            let mut columns = Vec::with_capacity(projection.expr.len());
            for expression in &projection.expr {
                let Some(column) = below.meaning(expression, schema)? else { return Ok(None) };
                columns.push(column);
            }
            Ok(Some(Rebuilt { columns, ..below }))
        }
        LogicalPlan::Extension(extension) => {
            let Some(border) = extension.node.as_any().downcast_ref::<Barrier>() else { return Ok(None) };
            // A table that is seen in groups of persons alone is made of its rows.
            if border.minimum_group.is_some() {
                return Ok(None);
            }
            let Some(below) = rebuilt(&border.input, with, keyed)? else { return Ok(None) };
            // The same border, over groups of the rows that the policy permits.
            let border = Barrier { input: below.plan, ..border.clone() };
            let plan = LogicalPlan::Extension(Extension { node: Arc::new(border) });
            Ok(Some(Rebuilt { plan, columns: below.columns }))
        }
        LogicalPlan::Join(join) => of_join(join, with, keyed),
        _ => Ok(None),
    }
}

impl Rebuilt {
    /// What `expression`, over columns with `schema`, is over the table and others; `None` for what is not a function of
    /// its row.
    pub(super) fn meaning(&self, expression: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
        meaning(&self.columns, expression, schema)
    }

    /// The same over the keys; `None` when it is finer than they are.
    pub(super) fn over_keys(
        &self,
        expression: &Expr,
        schema: &DFSchema,
        keyed: &Keyed<'_>,
    ) -> Result<Option<Expr>> {
        match self.meaning(expression, schema)? {
            Some(meaning) => keyed.map(meaning),
            None => Ok(None),
        }
    }
}

/// `expression`, over columns with `schema`, where these are what `columns` say; `None` for what is not a function of its
/// row.
pub(crate) fn meaning(columns: &[Expr], expression: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    if expression.is_volatile() {
        return Ok(None);
    }
    let mut known = true;
    let meant = expression.clone().unalias_nested().data.transform_down(|part| match &part {
        Expr::Column(column) => {
            let place = schema.maybe_index_of_column(column);
            match place.and_then(|place| columns.get(place)) {
                Some(meaning) => Ok(Transformed::new(meaning.clone(), true, TreeNodeRecursion::Jump)),
                None => {
                    known = false;
                    Ok(Transformed::new(part, false, TreeNodeRecursion::Stop))
                }
            }
        }
        Expr::ScalarSubquery(_)
        | Expr::InSubquery(_)
        | Expr::Exists(_)
        | Expr::SetComparison(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::Unnest(_) => {
            known = false;
            Ok(Transformed::new(part, false, TreeNodeRecursion::Stop))
        }
        _ => Ok(Transformed::no(part)),
    })?;
    Ok(known.then_some(meant.data))
}

fn of_scan(scan: &TableScan, with: &Arc<RollupTable>, keyed: &Keyed<'_>) -> Result<Option<Rebuilt>> {
    let provider = source_as_provider(&scan.source)?;
    let any: &dyn Any = provider.as_ref();
    let same = any.downcast_ref::<LakeTable>().is_some_and(|table| table.has_rollup(with.rollup()));
    if !same || scan.fetch.is_some() {
        return Ok(None);
    }
    let source = provider_as_source(Arc::clone(with) as Arc<_>);
    let plan = LogicalPlanBuilder::scan(keyed.relation.clone(), source, None)?.build()?;
    let base = |name: &String| Expr::Column(Column::new(Some(TableReference::bare(BASE)), name));
    let columns = scan.projected_schema.fields().iter().map(|field| base(field.name())).collect();
    let below = Rebuilt { plan, columns };
    // Conditions that were moved into the scan may be on columns that it does not give.
    let all = provider.schema();
    let whole = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &all)?;
    let every = Rebuilt {
        plan: below.plan.clone(),
        columns: all.fields().iter().map(|field| base(field.name())).collect(),
    };
    let Some(filtered) = filtered(every, scan.filters.iter(), &whole, keyed)? else { return Ok(None) };
    Ok(Some(Rebuilt { plan: filtered.plan, columns: below.columns }))
}

fn filtered<'a>(
    below: Rebuilt,
    conditions: impl Iterator<Item = &'a Expr>,
    schema: &DFSchema,
    keyed: &Keyed<'_>,
) -> Result<Option<Rebuilt>> {
    let mut plan = below.plan.clone();
    for condition in conditions.flat_map(split_conjunction) {
        let Some(mapped) = below.over_keys(condition, schema, keyed)? else { return Ok(None) };
        plan = LogicalPlan::Filter(Filter::try_new(mapped, Arc::new(plan))?);
    }
    Ok(Some(Rebuilt { plan, columns: below.columns }))
}

/// Which side of a join may be the rollup's, and which columns come out of it.
fn sides(kind: JoinType) -> [(bool, bool); 2] {
    // (may be rebuilt, the other side's columns come out)
    match kind {
        JoinType::Inner => [(true, true), (true, true)],
        JoinType::Left => [(true, true), (false, false)],
        JoinType::Right => [(false, false), (true, true)],
        JoinType::LeftSemi | JoinType::LeftAnti => [(true, false), (false, false)],
        JoinType::RightSemi | JoinType::RightAnti => [(false, false), (true, false)],
        JoinType::Full | JoinType::LeftMark | JoinType::RightMark => [(false, false), (false, false)],
    }
}

fn of_join(join: &Join, with: &Arc<RollupTable>, keyed: &Keyed<'_>) -> Result<Option<Rebuilt>> {
    let [of_left, of_right] = sides(join.join_type);
    for (is_left, (may, shows_other)) in [(true, of_left), (false, of_right)] {
        let (own, other) = if is_left { (&join.left, &join.right) } else { (&join.right, &join.left) };
        if !may || is_called_base(other.schema()) {
            continue;
        }
        let Some(below) = rebuilt(own, with, keyed)? else { continue };
        if let Some(done) = joined(join, is_left, below, shows_other, keyed)? {
            return Ok(Some(done));
        }
    }
    Ok(None)
}

/// A user may call a table of theirs anything.
fn is_called_base(schema: &DFSchema) -> bool {
    schema.iter().any(|(qualifier, _)| qualifier.is_some_and(|name| *name == TableReference::bare(BASE)))
}

fn joined(
    join: &Join,
    is_left: bool,
    below: Rebuilt,
    shows_other: bool,
    keyed: &Keyed<'_>,
) -> Result<Option<Rebuilt>> {
    let (own, other) = if is_left { (&join.left, &join.right) } else { (&join.right, &join.left) };
    let mut on = Vec::with_capacity(join.on.len());
    for (left, right) in &join.on {
        let (mine, theirs) = if is_left { (left, right) } else { (right, left) };
        let Some(mine) = below.over_keys(mine, own.schema(), keyed)? else { return Ok(None) };
        on.push(if is_left { (mine, theirs.clone()) } else { (theirs.clone(), mine) });
    }
    let others: Vec<Expr> = other.schema().columns().into_iter().map(Expr::Column).collect();
    // The columns of both sides, in the order in which the join has them.
    let both = match is_left {
        true => [below.columns.as_slice(), &others].concat(),
        false => [others.as_slice(), &below.columns].concat(),
    };
    let whole = Rebuilt { plan: below.plan.clone(), columns: both };
    let filter = match &join.filter {
        Some(filter) => {
            let schema = join.left.schema().join(join.right.schema())?;
            match whole.over_keys(filter, &schema, keyed)? {
                Some(filter) => Some(filter),
                None => return Ok(None),
            }
        }
        None => None,
    };
    let (left, right) = match is_left {
        true => (Arc::new(below.plan), Arc::clone(other)),
        false => (Arc::clone(other), Arc::new(below.plan)),
    };
    let made = Join::try_new(
        left,
        right,
        on,
        filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    );
    // The same table may stand on both sides under one name, and then its columns cannot be told apart.
    let Ok(made) = made else { return Ok(None) };
    let columns = if shows_other { whole.columns } else { below.columns };
    Ok(Some(Rebuilt { plan: LogicalPlan::Join(made), columns }))
}
