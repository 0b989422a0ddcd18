//! A planning error about a name that nobody knows, told with the nearest name that somebody does.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::catalog::information_schema::INFORMATION_SCHEMA;
use datafusion::common::utils::quote_identifier;
use datafusion::common::{Column, SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{Expr, TableFactor, Visit, Visitor};

use crate::catalog::{CATALOG, OWN_SCHEMA};
use crate::error::{EngineError, did_you_mean, nearest};

/// Replaces `error` by one that names the unknown table, function or column, if that is what it is about.
///
/// `tables` are the schemas and names of all tables there are.
pub(crate) fn explain(
    error: DataFusionError,
    statement: &Statement,
    references: &[TableReference],
    tables: &[(String, String)],
    state: &SessionState,
) -> EngineError {
    let names = Names::of(statement);
    if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
    {
        return unknown_column(field, valid_fields);
    }
    let message = error.to_string().to_lowercase();
    unknown_table(references, &names, tables, &message)
        .or_else(|| unknown_function(&names, state, &message))
        .unwrap_or_else(|| error.into())
}

fn unknown_table(
    references: &[TableReference],
    names: &Names,
    tables: &[(String, String)],
    message: &str,
) -> Option<EngineError> {
    let known: BTreeSet<String> = tables.iter().map(|(schema, table)| full_name(schema, table)).collect();
    let missing = references.iter().find(|reference| {
        let name = full_name(reference.schema().unwrap_or(OWN_SCHEMA), reference.table());
        let elsewhere = reference.catalog().is_some_and(|catalog| catalog != CATALOG);
        reference.schema() != Some(INFORMATION_SCHEMA)
            && !names.table_functions.contains(reference.table())
            && message.contains(&reference.table().to_lowercase())
            && message.contains("not found")
            && (elsewhere || !known.contains(&name))
    })?;
    let name = match (missing.catalog(), missing.schema()) {
        (Some(catalog), Some(schema)) if catalog != CATALOG => {
            format!("{catalog}.{schema}.{}", missing.table())
        }
        (_, Some(schema)) => full_name(schema, missing.table()),
        _ => missing.table().to_owned(),
    };
    let same_table = tables.iter().find(|(_, table)| table == missing.table());
    let hint = match same_table {
        Some((schema, table)) => format!("; did you mean {}?", full_name(schema, table)),
        None if missing.schema().is_some() => {
            did_you_mean(&name, known.iter().map(String::as_str), SHOW_TABLES)
        }
        None => by_table_alone(&name, tables),
    };
    Some(EngineError::Unknown { what: "table", name, hint })
}

const SHOW_TABLES: &str = "; `SHOW TABLES` lists those that do";

/// `header` may mean `invoice.header`, `heder` as well.
fn by_table_alone(name: &str, tables: &[(String, String)]) -> String {
    let near = nearest(name, tables.iter().map(|(_, table)| table.as_str()));
    let found = near.and_then(|near| tables.iter().find(|(_, table)| table == near));
    match found {
        Some((schema, table)) => format!("; did you mean {}?", full_name(schema, table)),
        None => SHOW_TABLES.to_owned(),
    }
}

fn full_name(schema: &str, table: &str) -> String {
    match schema {
        OWN_SCHEMA => table.to_owned(),
        _ => format!("{schema}.{table}"),
    }
}

fn unknown_function(names: &Names, state: &SessionState, message: &str) -> Option<EngineError> {
    let known = function_names(state);
    let missing = names.functions.iter().find(|name| {
        let quoted = format!("'{}'", name.to_lowercase());
        !known.contains(&name.to_lowercase())
            && (message.contains(&quoted) || message.contains("no functions registered"))
    })?;
    let hint =
        did_you_mean(missing, known.iter().map(String::as_str), "; `SHOW FUNCTIONS` lists those that do");
    Some(EngineError::Unknown { what: "function", name: missing.clone(), hint })
}

/// Every function of `state`, sorted.
pub(crate) fn function_names(state: &SessionState) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = state.scalar_functions().keys().cloned().collect();
    known.extend(state.aggregate_functions().keys().cloned());
    known.extend(state.window_functions().keys().cloned());
    known.extend(state.higher_order_functions().keys().cloned());
    known.extend(state.table_functions().keys().cloned());
    known.extend(tithe_udfs::functions().into_iter().map(|entry| entry.doc.name.to_owned()));
    known
}

fn unknown_column(field: &Column, valid: &[Column]) -> EngineError {
    let name = field.flat_name();
    let here: Vec<&str> = valid
        .iter()
        .filter(|known| field.relation.is_none() || known.relation == field.relation)
        .map(|known| known.name.as_str())
        .collect();
    let relations: BTreeSet<String> =
        valid.iter().filter_map(|known| known.relation.as_ref().map(ToString::to_string)).collect();
    if let Some(relation) = &field.relation
        && here.is_empty()
        && !relations.is_empty()
    {
        let list = relations.iter().cloned().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(
            &relation.to_string(),
            relations.iter().map(String::as_str),
            &format!("; the query names {list}"),
        );
        return EngineError::Unknown { what: "the table or alias of column", name, hint };
    }
    let quoted: Vec<_> = here.iter().map(|known| quote_identifier(known)).collect();
    let otherwise = match here.len() {
        0 => String::new(),
        1..=12 => format!("; there are {}", quoted.join(", ")),
        more => format!("; there are {more} columns, `DESCRIBE` lists them"),
    };
    let hint = match nearest(&field.name, here.iter().copied()) {
        Some(near) => format!("; did you mean {}?", quote_identifier(near)),
        None => otherwise,
    };
    EngineError::Unknown { what: "column", name, hint }
}

/// The functions that a statement names.
#[derive(Default)]
struct Names {
    functions: BTreeSet<String>,
    table_functions: BTreeSet<String>,
}

impl Names {
    fn of(statement: &Statement) -> Self {
        let mut names = Self::default();
        let mut next = Some(statement);
        while let Some(statement) = next.take() {
            let _whole: ControlFlow<()> = match statement {
                Statement::Statement(inner) => inner.visit(&mut names),
                Statement::Explain(explain) => {
                    next = Some(&explain.statement);
                    ControlFlow::Continue(())
                }
                Statement::CopyTo(copy) => match &copy.source {
                    CopyToSource::Query(query) => query.visit(&mut names),
                    CopyToSource::Relation(_) => ControlFlow::Continue(()),
                },
                Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
            };
        }
        names
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.functions.insert(function.name.to_string());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), .. } = factor {
            self.functions.insert(name.to_string());
            self.table_functions.insert(name.to_string().to_lowercase());
        }
        ControlFlow::Continue(())
    }
}
