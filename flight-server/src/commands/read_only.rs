//! The server only reads: what would change a table, a setting or a file is refused before it is planned.

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as Sql};
use tithe_engine::Session;
use tonic::Status;

use crate::status;

/// Refuses everything but one statement that reads.
pub(super) fn check(session: &Session, sql: &str) -> Result<(), Status> {
    let parsed = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    let statements = match parsed {
        Ok(statements) => statements,
        Err(error) => {
            session.split(sql).map_err(|error| status::from_engine(&error))?;
            return Err(status::from_execution(error));
        }
    };
    match statements.iter().collect::<Vec<_>>().as_slice() {
        [statement] if reads(statement) => Ok(()),
        [statement] => {
            let text = statement.to_string();
            Err(refused(text.split_whitespace().next().unwrap_or("the statement")))
        }
        many => {
            let count = many.len();
            Err(Status::invalid_argument(format!(
                "expected one SQL statement, found {count}: send them one by one"
            )))
        }
    }
}

/// What a client reads whose statement, which begins with `verb`, would change something.
pub(super) fn refused(verb: &str) -> Status {
    Status::permission_denied(format!(
        "{verb} is not allowed: this server only reads; use SELECT, SHOW, DESCRIBE or EXPLAIN, and write tables with \
         `tithe sql` on the lake itself"
    ))
}

fn reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(sql) => sql_reads(sql),
        Statement::Explain(explain) => reads(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

fn sql_reads(sql: &Sql) -> bool {
    match sql {
        Sql::Query(query) => expression_reads(&query.body),
        Sql::Explain { statement, .. } => sql_reads(statement),
        Sql::ExplainTable { .. }
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowVariable { .. }
        | Sql::ShowCreate { .. } => true,
        _ => false,
    }
}

fn expression_reads(expression: &SetExpr) -> bool {
    match expression {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => expression_reads(&query.body),
        SetExpr::SetOperation { left, right, .. } => expression_reads(left) && expression_reads(right),
        SetExpr::Values(_) | SetExpr::Table(_) => true,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => false,
    }
}
