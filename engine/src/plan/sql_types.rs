//! SQL's names of types that DataFusion does not know, or takes for others than most systems do.
//!
//! A timestamp without a precision has microseconds, as SQL says and PostgreSQL, DuckDB and others do: nanoseconds reach from 1677
//! to 2262 alone, and 9999-12-31 stands for "open" in many a table. A literal has as many digits as are written, where these are
//! more. A precision that Arrow has no type for is that of the next
//! finer one.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, Expr, Statement as SqlStatement, TimezoneInfo, VisitMut,
    VisitorMut,
};

/// Fractions of a second that a timestamp or a time of day has where nobody says.
const PRECISION: u64 = 6;
/// The most that there is a type for.
const FINEST: u64 = 9;

/// Writes the types in `statement` as DataFusion takes them.
pub(crate) fn spell_out_types(statement: &mut Statement) {
    let mut next = Some(statement);
    while let Some(statement) = next.take() {
        let _whole: ControlFlow<()> = match statement {
            Statement::Statement(inner) => inner.visit(&mut Types),
            Statement::Explain(explain) => {
                next = Some(&mut explain.statement);
                ControlFlow::Continue(())
            }
            Statement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(&mut Types),
                CopyToSource::Relation(_) => ControlFlow::Continue(()),
            },
            Statement::CreateExternalTable(table) => {
                table.columns.iter_mut().for_each(|column| spell_out(&mut column.data_type));
                ControlFlow::Continue(())
            }
            Statement::Reset(_) => ControlFlow::Continue(()),
        };
    }
}

struct Types;

impl VisitorMut for Types {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Cast { data_type, .. } | Expr::Convert { data_type: Some(data_type), .. } => {
                spell_out(data_type);
            }
            Expr::TypedString(literal) => {
                if let SqlType::Timestamp(precision @ None, _) = &mut literal.data_type {
                    *precision = literal.value.clone().into_string().map(|text| digits(&text));
                }
                spell_out(&mut literal.data_type);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &mut SqlStatement) -> ControlFlow<()> {
        match statement {
            SqlStatement::CreateTable(table) => {
                table.columns.iter_mut().for_each(|column| spell_out(&mut column.data_type));
            }
            SqlStatement::Prepare { data_types, .. } => data_types.iter_mut().for_each(spell_out),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn spell_out(written: &mut SqlType) {
    match written {
        SqlType::Timestamp(precision, _) => *precision = Some(of_arrow(*precision)),
        SqlType::Datetime(precision) => {
            *written = SqlType::Timestamp(Some(of_arrow(*precision)), TimezoneInfo::None);
        }
        SqlType::Binary(_) | SqlType::Varbinary(_) | SqlType::Blob(_) | SqlType::Bytes(_) => {
            *written = SqlType::Bytea;
        }
        SqlType::Clob(_) => *written = SqlType::Text,
        SqlType::Dec(precision) => *written = SqlType::Decimal(*precision),
        SqlType::Array(
            ArrayElemTypeDef::AngleBracket(inner)
            | ArrayElemTypeDef::SquareBracket(inner, _)
            | ArrayElemTypeDef::Parenthesis(inner),
        ) => spell_out(inner),
        _ => {}
    }
}

/// The digits of the fraction of a second in `text`, if they are more than usual.
fn digits(text: &str) -> u64 {
    let fraction = text.rsplit_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.chars().take_while(char::is_ascii_digit).count();
    u64::try_from(digits).unwrap_or(FINEST).clamp(PRECISION, FINEST)
}

/// The next finer precision that Arrow has; finer than any stays, to be refused by its name.
fn of_arrow(precision: Option<u64>) -> u64 {
    match precision.unwrap_or(PRECISION) {
        0 => 0,
        finer if finer <= FINEST => finer.next_multiple_of(3),
        refused => refused,
    }
}

/// Times of day, which DataFusion knows without a precision and in nanoseconds alone.
#[derive(Debug)]
pub(crate) struct TimesOfDay;

impl TypePlanner for TimesOfDay {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let SqlType::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) = sql_type else {
            return Ok(None);
        };
        let data_type = match of_arrow(*precision) {
            0 => DataType::Time32(TimeUnit::Second),
            3 => DataType::Time32(TimeUnit::Millisecond),
            6 => DataType::Time64(TimeUnit::Microsecond),
            9 => DataType::Time64(TimeUnit::Nanosecond),
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", data_type, true))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parse_one;

    #[test]
    fn types_are_those_that_arrow_has() {
        for (written, taken) in [
            ("CAST(a AS TIMESTAMP)", "CAST(a AS TIMESTAMP(6))"),
            ("CAST(a AS TIMESTAMP(1))", "CAST(a AS TIMESTAMP(3))"),
            ("TRY_CAST(a AS TIMESTAMP(7) WITH TIME ZONE)", "TRY_CAST(a AS TIMESTAMP(9) WITH TIME ZONE)"),
            ("a::TIMESTAMP(0)", "a::TIMESTAMP(0)"),
            ("CAST(a AS TIMESTAMP(10))", "CAST(a AS TIMESTAMP(10))"),
            ("CAST(a AS DATETIME)", "CAST(a AS TIMESTAMP(6))"),
            ("CAST(a AS TIMESTAMP[])", "CAST(a AS TIMESTAMP(6)[])"),
            ("CAST(a AS VARBINARY(10))", "CAST(a AS BYTEA)"),
            ("CAST(a AS CLOB)", "CAST(a AS TEXT)"),
            ("CAST(a AS DATE)", "CAST(a AS DATE)"),
            ("TIMESTAMP '9999-12-31 23:59:59'", "TIMESTAMP(6) '9999-12-31 23:59:59'"),
            ("TIMESTAMP '2024-01-01 00:00:00.1234567'", "TIMESTAMP(9) '2024-01-01 00:00:00.1234567'"),
            (
                "TIMESTAMP '2024-01-01 00:00:00.123456789012'",
                "TIMESTAMP(9) '2024-01-01 00:00:00.123456789012'",
            ),
        ] {
            for before in ["SELECT ", "EXPLAIN SELECT ", "CREATE VIEW v AS SELECT "] {
                let mut statement = parse_one(&format!("{before}{written}")).unwrap();
                spell_out_types(&mut statement);
                assert_eq!(statement.to_string(), format!("{before}{taken}"));
            }
        }
        let mut table = parse_one("CREATE TABLE t (a TIMESTAMP(2), b BLOB, c INT)").unwrap();
        spell_out_types(&mut table);
        assert_eq!(table.to_string(), "CREATE TABLE t (a TIMESTAMP(3), b BYTEA, c INT)");
    }

    #[test]
    fn times_of_day_have_the_precision_that_is_named() {
        let planned = |precision, zone| {
            let field = TimesOfDay.plan_type_field(&SqlType::Time(precision, zone)).unwrap();
            field.map(|field| field.data_type().clone())
        };
        assert_eq!(planned(None, TimezoneInfo::None), Some(DataType::Time64(TimeUnit::Microsecond)));
        assert_eq!(planned(Some(0), TimezoneInfo::None), Some(DataType::Time32(TimeUnit::Second)));
        assert_eq!(planned(Some(2), TimezoneInfo::None), Some(DataType::Time32(TimeUnit::Millisecond)));
        assert_eq!(
            planned(Some(8), TimezoneInfo::WithoutTimeZone),
            Some(DataType::Time64(TimeUnit::Nanosecond))
        );
        assert_eq!(planned(Some(10), TimezoneInfo::None), None);
        assert_eq!(planned(Some(3), TimezoneInfo::WithTimeZone), None);
    }
}
