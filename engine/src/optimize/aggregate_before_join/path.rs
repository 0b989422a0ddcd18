//! What lies between an aggregate and the rows that it groups: joins, and what renames and filters.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::{DFSchema, NullEquality, Result};
use datafusion::logical_expr::{Expr, Filter, Join, JoinConstraint, JoinType, LogicalPlan};

use crate::optimize::aggregate_before_join::groups::{Groups, columns_of, is_called_so, keys_in};
use crate::optimize::aggregate_before_join::sizes::rows;
use crate::rollup::meaning;

/// The way from the rows of the largest table up to the aggregate.
pub(super) struct Path {
    pub(super) base: Arc<LogicalPlan>,
    /// From the rows up.
    pub(super) steps: Vec<Step>,
    /// What the aggregate's columns are: expressions over those of the rows, by their place, and of other tables.
    pub(super) columns: Vec<Expr>,
}

/// A filter or a join, its expressions over the columns of the rows and of other tables.
pub(super) enum Step {
    Filter(Expr),
    Join {
        other: Arc<LogicalPlan>,
        /// Whether the rows are its left side.
        is_left: bool,
        /// Of the rows, and of the other table.
        on: Vec<(Expr, Expr)>,
        filter: Option<Expr>,
        kind: Kind,
    },
}

/// How a join joins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    join_type: JoinType,
    constraint: JoinConstraint,
    null_equality: NullEquality,
}

impl Kind {
    /// Whether rows may be in no pair.
    pub(super) fn leaves_out(self) -> bool {
        self.join_type == JoinType::Inner
    }
}

/// The same over columns of groups.
pub(super) enum Keyed {
    Filter(Expr),
    Join {
        other: Arc<LogicalPlan>,
        is_left: bool,
        on: Vec<(Expr, Expr)>,
        filter: Option<Expr>,
        kind: Kind,
        /// The keys of the groups that it joins by.
        keys: BTreeSet<usize>,
    },
}

impl Path {
    /// The way down from an aggregate over `plan`, through the larger side of each join; `None` if no join is on it, or
    /// something that is no function of single rows.
    ///
    /// # Errors
    /// When an expression cannot be walked.
    pub(super) fn down(plan: &Arc<LogicalPlan>) -> Result<Option<Self>> {
        match plan.as_ref() {
            LogicalPlan::SubqueryAlias(alias) => Self::down(&alias.input),
            LogicalPlan::Projection(projection) => {
                let Some(below) = Self::down(&projection.input)? else { return Ok(None) };
                let schema = projection.input.schema();
                let mut columns = Vec::with_capacity(projection.expr.len());
                for expression in &projection.expr {
                    let Some(column) = meaning(&below.columns, expression, schema)? else { return Ok(None) };
                    columns.push(column);
                }
                Ok(Some(Self { columns, ..below }))
            }
            LogicalPlan::Filter(filter) => {
                let Some(mut below) = Self::down(&filter.input)? else { return Ok(None) };
                let schema = filter.input.schema();
                let Some(predicate) = meaning(&below.columns, &filter.predicate, schema)? else {
                    return Ok(None);
                };
                below.steps.push(Step::Filter(predicate));
                Ok(Some(below))
            }
            LogicalPlan::Join(join) => Self::through(join),
            _ => Ok(None),
        }
    }

    fn through(join: &Join) -> Result<Option<Self>> {
        let Some(is_left) = is_left_larger(join)? else { return Ok(None) };
        let (own, other) = if is_left { (&join.left, &join.right) } else { (&join.right, &join.left) };
        if is_called_so(other.schema()) {
            return Ok(None);
        }
        let below = match Self::down(own)? {
            Some(below) => below,
            None => Self { base: Arc::clone(own), steps: Vec::new(), columns: columns_of(own.schema()) },
        };
        below.joined(join, is_left)
    }

    fn joined(mut self, join: &Join, is_left: bool) -> Result<Option<Self>> {
        let (own, other) = if is_left { (&join.left, &join.right) } else { (&join.right, &join.left) };
        let mut on = Vec::with_capacity(join.on.len());
        for (left, right) in &join.on {
            let (mine, theirs) = if is_left { (left, right) } else { (right, left) };
            let Some(mine) = meaning(&self.columns, mine, own.schema())? else { return Ok(None) };
            on.push((mine, theirs.clone()));
        }
        let others: Vec<Expr> = other.schema().columns().into_iter().map(Expr::Column).collect();
        // In the order in which the join has them.
        let columns = match is_left {
            true => [self.columns.as_slice(), &others].concat(),
            false => [others.as_slice(), &self.columns].concat(),
        };
        let filter = match &join.filter {
            Some(filter) => {
                let schema: DFSchema = join.left.schema().join(join.right.schema())?;
                let Some(filter) = meaning(&columns, filter, &schema)? else { return Ok(None) };
                Some(filter)
            }
            None => None,
        };
        let kind = Kind {
            join_type: join.join_type,
            constraint: join.join_constraint,
            null_equality: join.null_equality,
        };
        self.steps.push(Step::Join { other: Arc::clone(other), is_left, on, filter, kind });
        Ok(Some(Self { columns, ..self }))
    }
}

/// Which side of a join may be grouped before; `None` if neither, or it is not known which is the larger.
fn is_left_larger(join: &Join) -> Result<Option<bool>> {
    Ok(match join.join_type {
        JoinType::Inner => {
            rows(&join.left)?.zip(rows(&join.right)?).map(|(left, right)| left.most >= right.most)
        }
        // Each row of this side comes out of it, whatever there is on the other.
        JoinType::Left => Some(true),
        JoinType::Right => Some(false),
        _ => None,
    })
}

impl Step {
    /// The same over the keys of `groups`, to which it adds what it asks for; `None` where that cannot be one.
    ///
    /// # Errors
    /// When an expression cannot be walked.
    pub(super) fn keyed(self, groups: &mut Groups) -> Result<Option<Keyed>> {
        match self {
            Self::Filter(predicate) => Ok(groups.key(predicate)?.map(Keyed::Filter)),
            Self::Join { other, is_left, on, filter, kind } => {
                let mut keyed = Vec::with_capacity(on.len());
                let mut keys = BTreeSet::new();
                for (mine, theirs) in on {
                    let Some(mine) = groups.key(mine)? else { return Ok(None) };
                    keys.extend(keys_in(&mine));
                    keyed.push((mine, theirs));
                }
                let filter = match filter {
                    Some(filter) => match groups.key(filter)? {
                        Some(filter) => Some(filter),
                        None => return Ok(None),
                    },
                    None => None,
                };
                Ok(Some(Keyed::Join { other, is_left, on: keyed, filter, kind, keys }))
            }
        }
    }
}

impl Keyed {
    /// The step above `plan`; `None` where its columns could not be told apart.
    ///
    /// # Errors
    /// When the plan cannot be built.
    pub(super) fn above(self, plan: LogicalPlan) -> Result<Option<LogicalPlan>> {
        match self {
            Self::Filter(predicate) => {
                Ok(Some(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(plan))?)))
            }
            Self::Join { other, is_left, on, filter, kind, .. } => {
                let (left, right) = match is_left {
                    true => (Arc::new(plan), other),
                    false => (other, Arc::new(plan)),
                };
                let on = match is_left {
                    true => on,
                    false => on.into_iter().map(|(mine, theirs)| (theirs, mine)).collect(),
                };
                let Kind { join_type, constraint, null_equality } = kind;
                let join =
                    Join::try_new(left, right, on, filter, join_type, constraint, null_equality, false);
                Ok(join.ok().map(LogicalPlan::Join))
            }
        }
    }
}
