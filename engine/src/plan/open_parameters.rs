//! Parameters whose type the statement does not tell: they take the types of the values that are bound.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    Value, VisitMut, VisitorMut,
};

use crate::error::{EngineError, Result};

/// Types that are tried in turn, for all open parameters alike, where a statement is described before values are bound.
pub(crate) const GUESSES: [DataType; 4] =
    [DataType::Int64, DataType::Utf8, DataType::Float64, DataType::Date32];

/// How many parameters `statement` has; `None` where one has no number.
pub(crate) fn parameter_count(statement: &mut Statement) -> Option<usize> {
    let mut numbers = Numbers { highest: 0, unnumbered: false };
    visit(statement, &mut numbers);
    (!numbers.unnumbered).then_some(numbers.highest)
}

/// That `statement` has as many parameters as there are values. Named ones are counted where they are bound.
///
/// # Errors
/// When it has not.
pub(crate) fn check_values(statement: &mut Statement, values: usize) -> Result<()> {
    match parameter_count(statement) {
        Some(count) if count != values => Err(EngineError::DataFusion(DataFusionError::Plan(format!(
            "the statement has {count} parameter(s), and {values} value(s) were bound: bind one for each"
        )))),
        _ => Ok(()),
    }
}

/// `statement` with every parameter as a value of its type in `types`, the first for `$1`.
pub(crate) fn with_types(mut statement: Statement, types: &[DataType]) -> Statement {
    let types: BTreeMap<String, &DataType> =
        (1..).zip(types).map(|(n, kind)| (format!("${n}"), kind)).collect();
    visit(&mut statement, &mut Typed { types, inside: false });
    statement
}

fn visit(statement: &mut Statement, visitor: &mut impl VisitorMut<Break = ()>) {
    let mut next = Some(statement);
    while let Some(statement) = next.take() {
        let _whole: ControlFlow<()> = match statement {
            Statement::Statement(inner) => inner.visit(visitor),
            Statement::Explain(explain) => {
                next = Some(&mut explain.statement);
                ControlFlow::Continue(())
            }
            Statement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(visitor),
                CopyToSource::Relation(_) => ControlFlow::Continue(()),
            },
            Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
        };
    }
}

fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

struct Numbers {
    highest: usize,
    unnumbered: bool,
}

impl VisitorMut for Numbers {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(name) = placeholder(expr) {
            match name.trim_start_matches('$').parse::<usize>() {
                Ok(number) if number > 0 => self.highest = self.highest.max(number),
                _ => self.unnumbered = true,
            }
        }
        ControlFlow::Continue(())
    }
}

struct Typed<'a> {
    types: BTreeMap<String, &'a DataType>,
    /// What this visitor wrote itself is not written again.
    inside: bool,
}

impl VisitorMut for Typed<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if !self.inside
            && let Some(kind) = placeholder(expr).and_then(|name| self.types.get(name))
        {
            self.inside = true;
            *expr = cast(expr.clone(), kind);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(_) = expr {
            self.inside = false;
        }
        ControlFlow::Continue(())
    }
}

/// Every type has a name that `arrow_cast` takes, which is not so of SQL's own casts.
fn cast(value: Expr, kind: &DataType) -> Expr {
    let unnamed = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    let name = Expr::Value(Value::SingleQuotedString(kind.to_string()).into());
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("arrow_cast")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![unnamed(value), unnamed(name)],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parse_one;

    #[test]
    fn parameters_get_their_types() {
        let check = |sql: &str, types: &[DataType], expected: &str| {
            assert_eq!(with_types(parse_one(sql).unwrap(), types).to_string(), expected, "{sql}");
        };
        let types = [DataType::Int64, DataType::Utf8];
        check(
            "SELECT $1 + 1, $2, $1 FROM t WHERE abs($1) > 2",
            &types,
            "SELECT arrow_cast($1, 'Int64') + 1, arrow_cast($2, 'Utf8'), arrow_cast($1, 'Int64') FROM t WHERE \
             abs(arrow_cast($1, 'Int64')) > 2",
        );
        check("EXPLAIN SELECT $1", &types, "EXPLAIN SELECT arrow_cast($1, 'Int64')");
        check("SELECT $3", &types, "SELECT $3");
    }

    #[test]
    fn parameters_are_counted() {
        let check = |sql: &str, expected: Option<usize>| {
            assert_eq!(parameter_count(&mut parse_one(sql).unwrap()), expected, "{sql}");
        };
        check("SELECT 1", Some(0));
        check("SELECT $2, $1, $2", Some(2));
        check("SELECT $name", None);
    }
}
