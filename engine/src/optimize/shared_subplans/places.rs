//! Where the columns of a part of a plan are in another part, which gives the same rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::JoinType;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::{DynamicFilterTracking, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;

use super::aggregate_places::aggregate_places;
use super::scan_places::scan_places;
use crate::policy::BarrierExec;

/// For each column of `narrow` the one of `wide` that is the same, if the rows of both are the same, where those of each are whenever
/// it runs ([`has_fixed_rows`]): both are the same operators, all of them such that what they do is known here, and `wide` may have more columns.
/// What is not known is not the same as anything, not even as itself.
///
/// # Errors
/// When the expressions of an operator cannot be walked.
pub(super) fn places(
    narrow: &Arc<dyn ExecutionPlan>,
    wide: &Arc<dyn ExecutionPlan>,
) -> Result<Option<Vec<usize>>> {
    let (of_narrow, of_wide) = (narrow.children(), wide.children());
    // Before looking at what is below.
    if narrow.name() != wide.name() || of_narrow.len() != of_wide.len() {
        return Ok(None);
    }
    let mut inputs = Vec::with_capacity(of_narrow.len());
    for (narrow, wide) in of_narrow.into_iter().zip(of_wide) {
        let Some(places) = places(narrow, wide)? else { return Ok(None) };
        inputs.push(Places(places));
    }
    let found = places_through(narrow.as_ref(), wide.as_ref(), &inputs)?;
    let (of_narrow, of_wide) = (narrow.schema(), wide.schema());
    Ok(found.filter(|places| {
        of_narrow.metadata() == of_wide.metadata()
            && places.len() == of_narrow.fields().len()
            && places
                .iter()
                .zip(of_narrow.fields())
                .all(|(&place, field)| of_wide.fields().get(place).is_some_and(|of_wide| of_wide == field))
    }))
}

/// Where the columns of the input of one operator are in that of another.
pub(super) struct Places(Vec<usize>);

impl Places {
    pub(super) fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// `expr` over the other's input.
    pub(super) fn moved(&self, expr: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let moved = Arc::clone(expr).transform(|expr| {
            Ok(match expr.downcast_ref::<Column>().map(|column| (column, self.0.get(column.index()))) {
                Some((column, Some(&place))) => {
                    Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>)
                }
                _ => Transformed::no(expr),
            })
        });
        Ok(moved?.data)
    }

    /// Whether `narrow` over the one input is `wide` over the other.
    pub(super) fn same(&self, narrow: &Arc<dyn PhysicalExpr>, wide: &Arc<dyn PhysicalExpr>) -> Result<bool> {
        Ok(self.moved(narrow)?.as_ref() == wide.as_ref())
    }

    /// The same of each of several.
    pub(super) fn all_same(
        &self,
        narrow: &[Arc<dyn PhysicalExpr>],
        wide: &[Arc<dyn PhysicalExpr>],
    ) -> Result<bool> {
        let mut same = narrow.len() == wide.len();
        for (narrow, wide) in narrow.iter().zip(wide) {
            same = same && self.same(narrow, wide)?;
        }
        Ok(same)
    }

    fn same_partitioning(&self, narrow: &Partitioning, wide: &Partitioning) -> Result<bool> {
        match (narrow, wide) {
            (Partitioning::Hash(narrow, parts), Partitioning::Hash(wide, of_wide)) => {
                Ok(parts == of_wide && self.all_same(narrow, wide)?)
            }
            (Partitioning::RoundRobinBatch(parts), Partitioning::RoundRobinBatch(of_wide)) => {
                Ok(parts == of_wide)
            }
            _ => Ok(false),
        }
    }

    pub(super) fn same_order(&self, narrow: &[PhysicalSortExpr], wide: &[PhysicalSortExpr]) -> Result<bool> {
        let mut same = narrow.len() == wide.len();
        for (narrow, wide) in narrow.iter().zip(wide) {
            same = same && narrow.options == wide.options && self.same(&narrow.expr, &wide.expr)?;
        }
        Ok(same)
    }
}

/// The places of the columns of `narrow` in `wide`, of the places of those of their `inputs`; `None` if they do not do the same,
/// are not of one kind, or are of one that is not known.
fn places_through(
    narrow: &dyn ExecutionPlan,
    wide: &dyn ExecutionPlan,
    inputs: &[Places],
) -> Result<Option<Vec<usize>>> {
    match inputs {
        [] => Ok(scan_places(narrow, wide)),
        [input] => places_through_one(narrow, wide, input),
        [left, right] if narrow.is::<HashJoinExec>() => {
            let (Some(narrow), Some(wide)) = (narrow.downcast_ref(), wide.downcast_ref()) else {
                return Ok(None);
            };
            join_places(narrow, wide, left, right)
        }
        [first, others @ ..] => {
            let union = narrow.is::<UnionExec>() && wide.is::<UnionExec>();
            let alike = others.iter().all(|input| input.0 == first.0);
            Ok((union && alike).then(|| first.0.clone()))
        }
    }
}

fn places_through_one(
    narrow: &dyn ExecutionPlan,
    wide: &dyn ExecutionPlan,
    input: &Places,
) -> Result<Option<Vec<usize>>> {
    if let (Some(narrow), Some(wide)) = (narrow.downcast_ref(), wide.downcast_ref()) {
        return aggregate_places(narrow, wide, input);
    }
    if let (Some(narrow), Some(wide)) =
        (narrow.downcast_ref::<FilterExec>(), wide.downcast_ref::<FilterExec>())
    {
        let whole = narrow.fetch().is_none() && wide.fetch().is_none();
        if !whole || !input.same(narrow.predicate(), wide.predicate())? {
            return Ok(None);
        }
        return Ok(projected(&input.0, narrow.projection().as_deref(), wide.projection().as_deref()));
    }
    if let (Some(narrow), Some(wide)) =
        (narrow.downcast_ref::<ProjectionExec>(), wide.downcast_ref::<ProjectionExec>())
    {
        let mut places = Vec::with_capacity(narrow.expr().len());
        for narrow in narrow.expr() {
            let moved = input.moved(&narrow.expr)?;
            let place = wide
                .expr()
                .iter()
                .position(|wide| wide.alias == narrow.alias && wide.expr.as_ref() == moved.as_ref());
            let Some(place) = place else { return Ok(None) };
            places.push(place);
        }
        return Ok(Some(places));
    }
    let same = if let (Some(narrow), Some(wide)) =
        (narrow.downcast_ref::<RepartitionExec>(), wide.downcast_ref::<RepartitionExec>())
    {
        narrow.preserve_order() == wide.preserve_order()
            && input.same_partitioning(narrow.partitioning(), wide.partitioning())?
    } else if let (Some(narrow), Some(wide)) =
        (narrow.downcast_ref::<SortExec>(), wide.downcast_ref::<SortExec>())
    {
        narrow.fetch().is_none()
            && wide.fetch().is_none()
            && narrow.preserve_partitioning() == wide.preserve_partitioning()
            && input.same_order(narrow.expr(), wide.expr())?
    } else if let (Some(narrow), Some(wide)) =
        (narrow.downcast_ref::<BarrierExec>(), wide.downcast_ref::<BarrierExec>())
    {
        narrow.table() == wide.table()
    } else {
        let merge = narrow.is::<CoalescePartitionsExec>() && wide.is::<CoalescePartitionsExec>();
        let cooperative = narrow.is::<CooperativeExec>() && wide.is::<CooperativeExec>();
        (merge && narrow.fetch().is_none() && wide.fetch().is_none()) || cooperative
    };
    Ok(same.then(|| input.0.clone()))
}

/// The places of columns of which each side keeps some: `places` are those of all.
fn projected(places: &[usize], narrow: Option<&[usize]>, wide: Option<&[usize]>) -> Option<Vec<usize>> {
    let kept = |place: usize| match wide {
        Some(wide) => wide.iter().position(|&kept| kept == place),
        None => Some(place),
    };
    match narrow {
        Some(narrow) => narrow.iter().map(|&column| kept(*places.get(column)?)).collect(),
        None => places.iter().map(|&place| kept(place)).collect(),
    }
}

fn join_places(
    narrow: &HashJoinExec,
    wide: &HashJoinExec,
    left: &Places,
    right: &Places,
) -> Result<Option<Vec<usize>>> {
    let same_filter = match (narrow.filter(), wide.filter()) {
        (Some(narrow), Some(wide)) => same_join_filter(narrow, wide, left, right),
        (None, None) => true,
        _ => false,
    };
    let mut same = same_filter
        && narrow.on().len() == wide.on().len()
        && narrow.join_type() == wide.join_type()
        && narrow.partition_mode() == wide.partition_mode()
        && narrow.null_equality() == wide.null_equality()
        && narrow.null_aware == wide.null_aware
        && narrow.fetch().is_none()
        && wide.fetch().is_none();
    for (narrow, wide) in narrow.on().iter().zip(wide.on()) {
        same = same && left.same(&narrow.0, &wide.0)? && right.same(&narrow.1, &wide.1)?;
    }
    if !same {
        return Ok(None);
    }
    let places = match narrow.join_type() {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            let columns = wide.left().schema().fields().len();
            left.0.iter().copied().chain(right.0.iter().map(|place| columns + place)).collect()
        }
        JoinType::LeftSemi | JoinType::LeftAnti => left.0.clone(),
        JoinType::RightSemi | JoinType::RightAnti => right.0.clone(),
        JoinType::LeftMark | JoinType::RightMark => return Ok(None),
    };
    Ok(projected(&places, narrow.projection.as_deref(), wide.projection.as_deref()))
}

fn same_join_filter(narrow: &JoinFilter, wide: &JoinFilter, left: &Places, right: &Places) -> bool {
    use datafusion::common::JoinSide;
    let same_column = |(narrow, wide): (&ColumnIndex, &ColumnIndex)| {
        let places = match narrow.side {
            JoinSide::Left => left,
            JoinSide::Right => right,
            JoinSide::None => return false,
        };
        narrow.side == wide.side && places.0.get(narrow.index) == Some(&wide.index)
    };
    narrow.expression() == wide.expression()
        && narrow.schema() == wide.schema()
        && narrow.column_indices().len() == wide.column_indices().len()
        && narrow.column_indices().iter().zip(wide.column_indices()).all(same_column)
}

/// Whether nothing in `plan` evaluates to something else when it runs again in one query.
///
/// # Errors
/// When the expressions of an operator cannot be walked.
pub(super) fn has_fixed_rows(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut fixed = has_fixed_expressions(plan.as_ref())?;
    for child in plan.children() {
        fixed = fixed && has_fixed_rows(child)?;
    }
    Ok(fixed)
}

/// Whether what `operator` evaluates is the same whenever it is asked: no random numbers, nothing that other operators fill
/// in while they run.
fn has_fixed_expressions(operator: &dyn ExecutionPlan) -> Result<bool> {
    let mut fixed = true;
    operator.apply_expressions(&mut |expr| {
        fixed = fixed && is_fixed(expr);
        Ok(if fixed { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(fixed)
}

fn is_fixed(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !is_volatile(expr)
        && !DynamicFilterTracking::classify(expr).contains_dynamic_filter()
        && !asks_subquery(expr)
}

fn asks_subquery(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.is::<ScalarSubqueryExpr>() || expr.children().into_iter().any(asks_subquery)
}
