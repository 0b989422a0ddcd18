//! How many rows a plan has, as far as the footers of its tables tell; and for how many groups it pays to make them.

use std::any::Any;
use std::collections::BTreeSet;

use datafusion::common::Result;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, FetchType, JoinType, LogicalPlan};

use crate::catalog::LakeTable;
use crate::optimize::aggregate_before_join::groups::{Groups, Values};
use crate::optimize::aggregate_before_join::path::Keyed;
use crate::policy::Barrier;

/// Fewer rows are soon joined.
const FEW_ROWS: u64 = 1 << 14;
/// Rows for each of the groups that are made of them, at least. To find the group of a row costs more than to find the row
/// that it is joined with, and groups are divided among threads and found once more.
const ROWS_OF_A_GROUP: u64 = 16;
/// Of the rows that a condition is asked of, one in so many is taken to satisfy it, as DataFusion does.
const SATISFIES: u64 = 5;

/// The rows of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// Before what conditions leave out.
    pub(super) most: u64,
    /// Whether there are conditions.
    filtered: bool,
    /// Whether they are groups, of which there may be far fewer than rows.
    grouped: bool,
}

impl Rows {
    fn of(most: u64) -> Self {
        Self { most, filtered: false, grouped: false }
    }

    fn grouped(self) -> Self {
        Self { grouped: true, ..self }
    }

    fn filtered_if(self, also: bool) -> Self {
        Self { filtered: self.filtered || also, ..self }
    }

    fn at_most(self, fetch: Option<usize>) -> Self {
        match fetch.and_then(|fetch| u64::try_from(fetch).ok()) {
            Some(fetch) => Self { most: self.most.min(fetch), filtered: true, ..self },
            None => self,
        }
    }
}

/// The rows of `plan`; `None` where one of its tables does not tell. Joins are taken to be by the key of one side.
///
/// # Errors
/// When a scan is of no table.
pub(super) fn rows(plan: &LogicalPlan) -> Result<Option<Rows>> {
    let both = |left: &LogicalPlan, right: &LogicalPlan| -> Result<Option<(Rows, Rows)>> {
        Ok(rows(left)?.zip(rows(right)?))
    };
    Ok(match plan {
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source)?;
            let any: &dyn Any = provider.as_ref();
            let most = any.downcast_ref::<LakeTable>().and_then(LakeTable::rows);
            most.map(|most| Rows::of(most).filtered_if(!scan.filters.is_empty()).at_most(scan.fetch))
        }
        LogicalPlan::SubqueryAlias(alias) => rows(&alias.input)?,
        LogicalPlan::Projection(projection) => rows(&projection.input)?,
        LogicalPlan::Window(window) => rows(&window.input)?,
        LogicalPlan::Aggregate(aggregate) => rows(&aggregate.input)?.map(Rows::grouped),
        LogicalPlan::Distinct(Distinct::All(input)) => rows(input)?.map(Rows::grouped),
        LogicalPlan::Sort(sort) => rows(&sort.input)?.map(|rows| rows.at_most(sort.fetch)),
        LogicalPlan::Filter(filter) => rows(&filter.input)?.map(|rows| rows.filtered_if(true)),
        LogicalPlan::Limit(limit) => match limit.get_fetch_type()? {
            FetchType::Literal(fetch) => rows(&limit.input)?.map(|rows| rows.at_most(fetch)),
            FetchType::UnsupportedExpr => None,
        },
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Barrier>() {
            Some(border) => rows(&border.input)?,
            None => None,
        },
        LogicalPlan::Values(values) => u64::try_from(values.values.len()).ok().map(Rows::of),
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => rows(&join.left)?.map(|rows| rows.filtered_if(true)),
            JoinType::Inner | JoinType::Left | JoinType::Right if !join.on.is_empty() => {
                both(&join.left, &join.right)?.map(|(left, right)| Rows {
                    most: left.most.max(right.most),
                    filtered: left.filtered || right.filtered,
                    grouped: left.grouped || right.grouped,
                })
            }
            _ => None,
        },
        _ => None,
    })
}

/// Whether it is sooner done to make `groups` of their rows and join these, than to join the rows.
///
/// # Errors
/// When a plan cannot be looked at.
pub(super) fn pays(groups: &Groups, joins: &[Keyed]) -> Result<bool> {
    let Some(rows) = rows(groups.base())?.filter(|rows| !rows.grouped) else { return Ok(false) };
    let rows = if rows.filtered { rows.most / SATISFIES } else { rows.most };
    if rows < FEW_ROWS {
        return Ok(false);
    }
    let mut counted = BTreeSet::new();
    let mut most: u64 = 1;
    for join in joins {
        let Keyed::Join { other, keys, kind, .. } = join else { continue };
        let Some(other) = self::rows(other)? else { return Ok(false) };
        if keys.is_empty() {
            continue;
        }
        let values = groups.values_of(keys.iter().copied())?;
        // The other side knows some of the values alone.
        let is_sparse = values.at_least > other.most;
        // Of what the join leaves out no groups would have been made, and the scan would have been told of it.
        if kind.leaves_out() && (other.filtered || is_sparse) {
            return Ok(false);
        }
        let new: Vec<usize> = keys.iter().copied().filter(|key| counted.insert(*key)).collect();
        if !new.is_empty() {
            let own = groups.values_of(new.into_iter())?.at_most.unwrap_or(u64::MAX);
            most = most.saturating_mul(if is_sparse { own } else { own.min(other.most.max(1)) });
        }
    }
    for key in (0..groups.keys()).filter(|key| !counted.contains(key)) {
        match groups.values_of(std::iter::once(key))? {
            Values { at_most: Some(values), .. } => most = most.saturating_mul(values),
            _ => return Ok(false),
        }
    }
    Ok(most.saturating_mul(ROWS_OF_A_GROUP) <= rows)
}
