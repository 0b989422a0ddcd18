//! `TABLE(name)`, which DataFusion takes for the call of a function, so that it does not look the table up.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, TableFactor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::is_called;

/// Writes `ai_forecast(TABLE(name), …)` as `ai_forecast((SELECT * FROM name), …)`.
pub(crate) fn spell_out_table(factor: &mut TableFactor) {
    if let TableFactor::Table { name, args: Some(args), .. } = factor
        && is_called(name)
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(input))) = args.args.first_mut()
        && let Some(query) = query_of_table(input)
    {
        *input = query;
    }
}

fn query_of_table(input: &Expr) -> Option<Expr> {
    let Expr::Function(call) = input else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(name))] = list.args.as_slice() else { return None };
    let is_name = matches!(name, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    if !is_name || !call.name.to_string().eq_ignore_ascii_case("table") {
        return None;
    }
    let query = Parser::parse_sql(&GenericDialect {}, &format!("SELECT * FROM {name}")).ok()?.pop()?;
    match query {
        Statement::Query(query) => Some(Expr::Subquery(query)),
        _ => None,
    }
}
