//! What queries ask of a table: the conditions on its columns, and what they join and group by.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

use crate::audit::recorded_statements;
use crate::catalog::CATALOG;
use crate::error::{EngineError, Result};
use crate::execute::StatementKind;
use crate::layout::options::ObservedQueries;
use crate::layout::sample::PLACE;
use crate::session::Session;

/// One statement.
pub(super) struct Observed {
    pub(super) sql: String,
    /// How often it was asked.
    pub(super) times: u64,
    /// The conditions of each scan of the table, all of which hold for a row that is of use.
    pub(super) scans: Vec<Vec<Expr>>,
    /// Columns that it joins or groups by.
    pub(super) keys: BTreeSet<String>,
}

/// The queries that are asked of `schema.table`, and how many were not understood.
///
/// # Errors
/// When they cannot be read; or of those that are given one is not understood, or none is a query on the table.
pub(super) async fn observe(
    session: &Session,
    queries: &ObservedQueries,
    schema: &str,
    table: &str,
) -> Result<(Vec<Observed>, usize)> {
    let name = format!("{schema}.{table}");
    let mut observed = Vec::new();
    let mut not_understood = 0;
    match queries {
        ObservedQueries::None => {}
        ObservedQueries::Statements(statements) => {
            for sql in statements {
                observed.extend(of_statement(session, sql, 1, schema, table).await?);
            }
            if observed.is_empty() {
                return Err(EngineError::Configuration {
                    origin: "the observed queries".to_owned(),
                    reason: format!("none of them is a query on {name}: name those that are asked of it"),
                });
            }
        }
        ObservedQueries::Audit(directory) => {
            for (sql, times) in recorded_statements(directory, &name)? {
                // Those of a layout itself say nothing.
                if sql.contains(PLACE) {
                    continue;
                }
                match of_statement(session, &sql, times, schema, table).await {
                    Ok(Some(query)) => observed.push(query),
                    Ok(None) | Err(_) => not_understood += 1,
                }
            }
        }
    }
    Ok((observed, not_understood))
}

async fn of_statement(
    session: &Session,
    sql: &str,
    times: u64,
    schema: &str,
    table: &str,
) -> Result<Option<Observed>> {
    let query = session.query(sql).await?;
    let Some(plan) = query.optimized().filter(|_plan| query.kind() == StatementKind::Query) else {
        return Ok(None);
    };
    let default_schema = session.context.state().config_options().catalog.default_schema.clone();
    let is_table = |name: &TableReference| {
        let resolved = name.clone().resolve(CATALOG, &default_schema);
        resolved.schema.as_ref() == schema && resolved.table.as_ref() == table
    };
    let (mut scans, mut keys) = (Vec::new(), BTreeSet::new());
    let mut aliases: BTreeMap<String, bool> = BTreeMap::new();
    let mut named: Vec<Column> = Vec::new();
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) if is_table(&scan.table_name) => {
                let conditions = scan.filters.iter().cloned().flat_map(split_conjunction_owned);
                scans.push(conditions.map(unnormalize_col).collect());
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let of_table = matches!(first_scan(&alias.input), Some(name) if is_table(name));
                aliases.insert(alias.alias.table().to_owned(), of_table);
            }
            LogicalPlan::Join(join) => {
                let both = join.on.iter().flat_map(|(left, right)| [left, right]);
                named.extend(both.flat_map(|expr| expr.column_refs().into_iter().cloned()));
            }
            LogicalPlan::Aggregate(aggregate) => {
                let by = aggregate.group_expr.iter();
                named.extend(by.flat_map(|expr| expr.column_refs().into_iter().cloned()));
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    for column in named {
        let of_table = match &column.relation {
            Some(relation) => match aliases.get(relation.table()) {
                Some(of_table) => *of_table,
                None => is_table(relation),
            },
            None => false,
        };
        if of_table {
            keys.insert(column.name);
        }
    }
    Ok((!scans.is_empty()).then(|| Observed { sql: sql.to_owned(), times, scans, keys }))
}

/// The table that a chain of operators of one input each begins with.
fn first_scan(plan: &LogicalPlan) -> Option<&TableReference> {
    let mut plan = plan;
    loop {
        if let LogicalPlan::TableScan(scan) = plan {
            return Some(&scan.table_name);
        }
        match plan.inputs().as_slice() {
            [input] => plan = input,
            _ => return None,
        }
    }
}

/// Whether a condition asks for some values of one column.
pub(super) fn is_equality(condition: &Expr) -> bool {
    match condition {
        Expr::BinaryExpr(BinaryExpr { op: Operator::Eq, .. }) => true,
        Expr::BinaryExpr(BinaryExpr { op: Operator::Or, left, right }) => {
            is_equality(left) && is_equality(right)
        }
        Expr::InList(InList { negated, .. }) => !negated,
        _ => false,
    }
}
