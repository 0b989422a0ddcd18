//! Filters and masks: SQL text to a typed expression over the columns of a table.

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use datafusion::sql::sqlparser::ast::{self, VisitMut, VisitorMut};

use crate::error::plain;
use crate::policy::file::SqlExpression;

/// The condition `sql` over `schema`, as `user` asks.
///
/// # Errors
/// A sentence when it does not fit the table or does more than look at its row.
pub(super) fn filter(
    sql: &SqlExpression,
    schema: &DFSchema,
    user: &str,
    state: &SessionState,
) -> Result<Expr, String> {
    let condition = expression(sql, schema, user, state)?;
    match condition.get_type(schema).map_err(|error| wrong(sql, &plain(&error)))? {
        DataType::Boolean => Ok(condition),
        other => Err(wrong(sql, &format!("it is {other}, and a filter is true or false"))),
    }
}

/// The value `sql` in place of a column of type `column`.
///
/// # Errors
/// A sentence when it does not fit the table, has another type, or does more than look at its row.
pub(super) fn mask(
    sql: &SqlExpression,
    column: &DataType,
    schema: &DFSchema,
    user: &str,
    state: &SessionState,
) -> Result<Expr, String> {
    let value = expression(sql, schema, user, state)?;
    let found = value.get_type(schema).map_err(|error| wrong(sql, &plain(&error)))?;
    if !is_alike(&found, column) {
        return Err(wrong(sql, &format!("it is {found}, and the column that it masks is {column}")));
    }
    Ok(if found == *column { value } else { cast(value, column.clone()) })
}

fn expression(
    sql: &SqlExpression,
    schema: &DFSchema,
    user: &str,
    state: &SessionState,
) -> Result<Expr, String> {
    let dialect = state.config_options().sql_parser.dialect;
    let refuse = |error| wrong(sql, &plain(&error));
    let mut parsed = state.sql_to_expr_with_alias(sql.as_str(), &dialect).map_err(refuse)?;
    let _whole = parsed.expr.visit(&mut CurrentUser { user });
    let expression = state.create_logical_expr_from_sql_expr(parsed, schema).map_err(refuse)?;
    if expression.is_volatile() {
        return Err(wrong(sql, "it gives another value each time"));
    }
    if !is_of_one_row(&expression) {
        return Err(wrong(sql, "it may only look at one row, without subqueries, aggregates and parameters"));
    }
    Ok(expression)
}

fn wrong(sql: &SqlExpression, reason: &str) -> String {
    format!("{:?} does not fit: {}", sql.as_str(), reason.replace('\n', " "))
}

fn is_of_one_row(expression: &Expr) -> bool {
    let mut fits = true;
    let walked = expression.apply(|part| {
        fits &= !matches!(
            part,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::Placeholder(_)
                | Expr::Unnest(_)
                | Expr::OuterReferenceColumn(..)
        );
        Ok(if fits { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && fits
}

/// Equal but for how text is stored: a conversion between the two never fails on a row.
fn is_alike(a: &DataType, b: &DataType) -> bool {
    let value = |kind: &DataType| match kind {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        other => other.clone(),
    };
    let (a, b) = (value(a), value(b));
    let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    a == DataType::Null || a == b || (is_text(&a) && is_text(&b))
}

/// `current_user` is SQL's word for who asks.
struct CurrentUser<'a> {
    user: &'a str,
}

impl VisitorMut for CurrentUser<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
        let is_current_user = match expr {
            ast::Expr::Function(function) => function.name.to_string().eq_ignore_ascii_case("current_user"),
            ast::Expr::Identifier(name) => {
                name.quote_style.is_none() && name.value.eq_ignore_ascii_case("current_user")
            }
            _ => false,
        };
        if is_current_user {
            *expr = ast::Expr::value(ast::Value::SingleQuotedString(self.user.to_owned()));
        }
        ControlFlow::Continue(())
    }
}
