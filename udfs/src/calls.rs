//! Forms of a call that Tithe's functions take and DataFusion does not: options by name without those before them, as
//! in `forecast(month, value, 12, gaps => 'zero')`, and `ai_forecast(TABLE(name), …)`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident, TableFactor, Value,
    VisitMut, VisitorMut,
};

use crate::documentation::FunctionDoc;
use crate::registry::{Implementation, functions};
use crate::table::spell_out_table;

/// Writes the calls of Tithe's functions in a statement as DataFusion takes them.
///
/// Gives every optional parameter of a Tithe function that a call leaves out, though it names a later one, the value
/// NULL, which stands for the default; and makes a query of a table that is an argument.
pub fn complete_calls(statement: &mut Statement) {
    let mut next = Some(statement);
    let mut complete = Complete::default();
    while let Some(statement) = next.take() {
        let _whole: ControlFlow<()> = match statement {
            Statement::Statement(inner) => inner.visit(&mut complete),
            Statement::Explain(explain) => {
                next = Some(&mut explain.statement);
                ControlFlow::Continue(())
            }
            Statement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(&mut complete),
                CopyToSource::Relation(_) => ControlFlow::Continue(()),
            },
            Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
        };
    }
}

/// The functions with named parameters; read from the registry at the first call that names one.
#[derive(Default)]
struct Complete {
    functions: Option<BTreeMap<String, (&'static FunctionDoc, Vec<String>)>>,
}

impl VisitorMut for Complete {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        spell_out_table(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && let FunctionArguments::List(list) = &mut function.args
            && list.args.iter().any(|argument| matches!(argument, FunctionArg::Named { .. }))
            && let known = self.functions.get_or_insert_with(named)
            && let Some((doc, parameters)) = known.get(&name(&function.name.to_string()))
        {
            list.args.extend(left_out(doc, parameters, &list.args));
        }
        ControlFlow::Continue(())
    }
}

fn name(written: &str) -> String {
    written.trim_matches('"').to_lowercase()
}

fn named() -> BTreeMap<String, (&'static FunctionDoc, Vec<String>)> {
    functions()
        .into_iter()
        .filter_map(|entry| {
            let signature = match &entry.implementation {
                Implementation::Scalar(function) => function.signature(),
                Implementation::Aggregate(function) => function.signature(),
                Implementation::Relation(_) => return None,
            };
            let parameters = signature.parameter_names.clone()?;
            Some((entry.doc.name.to_owned(), (entry.doc, parameters)))
        })
        .collect()
}

fn left_out(doc: &FunctionDoc, parameters: &[String], given: &[FunctionArg]) -> Vec<FunctionArg> {
    let positional = given.iter().filter(|argument| matches!(argument, FunctionArg::Unnamed(_))).count();
    let is_given = |parameter: &str| {
        given.iter().any(|argument| match argument {
            FunctionArg::Named { name, .. } => name.value.eq_ignore_ascii_case(parameter),
            _ => false,
        })
    };
    let last = parameters.iter().rposition(|parameter| is_given(parameter)).unwrap_or(0);
    let missing = parameters.iter().take(last).skip(positional);
    missing
        .filter(|parameter| !is_given(parameter) && doc.is_optional(parameter))
        .map(|parameter| FunctionArg::Named {
            name: Ident::new(parameter.as_str()),
            arg: FunctionArgExpr::Expr(Expr::Value(Value::Null.into())),
            operator: FunctionArgOperator::RightArrow,
        })
        .collect()
}
