//! Expressions over a table's columns as expressions over the keys of a rollup.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use crate::rollup::alignment::aligned;
use crate::rollup::definition::{BASE, Definition};

/// Calendar grains of `date_trunc` of which each holds whole ones of those before it.
const GRAINS: [&str; 9] =
    ["microsecond", "millisecond", "second", "minute", "hour", "day", "month", "quarter", "year"];

/// The keys of a rollup as the columns of a plan.
pub(super) struct Keyed<'a> {
    pub(super) definition: &'a Definition,
    /// What the rollup is called in the plan.
    pub(super) relation: &'a TableReference,
    pub(super) simplifier: &'a ExprSimplifier,
}

impl Keyed<'_> {
    /// `expression` with keys in the place of what it says of the table; `None` when it is finer than they are. What it
    /// says of other tables stays.
    ///
    /// # Errors
    /// When an expression cannot be walked.
    pub(super) fn map(&self, expression: Expr) -> Result<Option<Expr>> {
        let expression = expression.unalias();
        if !tells_of_base(&expression) {
            return Ok(Some(expression));
        }
        let same = self.definition.keys.iter().find(|key| key.expression == expression);
        if let Some(key) = same {
            return Ok(Some(self.column(&key.text)));
        }
        if let Some(coarser) = self.coarser(&expression) {
            return Ok(Some(coarser));
        }
        if let Some(aligned) = aligned(self, &expression)? {
            return Ok(Some(aligned));
        }
        if !is_function_of_its_parts(&expression) {
            return Ok(None);
        }
        let mut finer = false;
        let mapped = expression.map_children(|part| {
            if finer {
                return Ok(Transformed::no(part));
            }
            Ok(match self.map(part.clone())? {
                Some(mapped) => Transformed::yes(mapped),
                None => {
                    finer = true;
                    Transformed::no(part)
                }
            })
        })?;
        Ok((!finer).then_some(mapped.data))
    }

    /// The column of the rollup with this name.
    pub(super) fn column(&self, text: &str) -> Expr {
        Expr::Column(Column::new(Some(self.relation.clone()), text))
    }

    /// A calendar grain that is made of those of a key.
    fn coarser(&self, expression: &Expr) -> Option<Expr> {
        let (function, grain, of) = calendar_call(expression)?;
        let name = function.func.name();
        self.definition.keys.iter().find_map(|key| {
            let (inner, finer, same) = calendar_call(&key.expression)?;
            let base = &self.definition.base;
            if inner.func.name() != "date_trunc" || as_it_was(of, base) != as_it_was(same, base) {
                return None;
            }
            let fits = match name {
                "date_trunc" => of == same && holds_whole(grain, finer),
                "date_part" => is_told_by(grain, finer),
                _ => false,
            };
            let first = function.args.first()?.clone();
            fits.then(|| {
                Expr::ScalarFunction(ScalarFunction {
                    func: Arc::clone(&function.func),
                    args: vec![first, self.column(&key.text)],
                })
            })
        })
    }
}

/// Whether `expression` says something of the rollup's table.
pub(super) fn tells_of_base(expression: &Expr) -> bool {
    let of_base = |column: &&Column| matches!(&column.relation, Some(TableReference::Bare { table }) if table.as_ref() == BASE);
    expression.column_refs().iter().any(of_base)
}

/// `function('grain', of)`, the grain in small letters.
fn calendar_call(expression: &Expr) -> Option<(&ScalarFunction, &str, &Expr)> {
    let Expr::ScalarFunction(function) = expression else { return None };
    let [Expr::Literal(grain, _), of] = function.args.as_slice() else { return None };
    let (ScalarValue::Utf8(Some(grain))
    | ScalarValue::Utf8View(Some(grain))
    | ScalarValue::LargeUtf8(Some(grain))) = grain
    else {
        return None;
    };
    Some((function, grain.as_str(), of))
}

/// What is taken as a timestamp where it was a date, the first moment of its day, or a timestamp of another unit. Where zones
/// come in, the calendar is another.
pub(super) fn as_it_was<'a>(expression: &'a Expr, base: &DFSchema) -> &'a Expr {
    let without_zone = |kind: &DataType| matches!(kind, DataType::Date32 | DataType::Timestamp(_, None));
    match expression {
        Expr::Cast(Cast { expr, field })
            if without_zone(field.data_type())
                && expr.get_type(base).is_ok_and(|kind| without_zone(&kind))
                && matches!(field.data_type(), DataType::Timestamp(..)) =>
        {
            expr
        }
        other => other,
    }
}

/// Whether each `coarse` grain holds whole `fine` ones.
fn holds_whole(coarse: &str, fine: &str) -> bool {
    let rank = |grain: &str| GRAINS.iter().position(|known| known.eq_ignore_ascii_case(grain));
    let day = rank("day");
    match (rank(coarse), rank(fine)) {
        (Some(coarse), Some(fine)) => fine <= coarse,
        // Weeks hold whole days, and nothing holds whole weeks.
        (None, Some(fine)) => coarse.eq_ignore_ascii_case("week") && Some(fine) <= day,
        _ => false,
    }
}

/// Whether all moments of a `fine` grain have the same `part`.
fn is_told_by(part: &str, fine: &str) -> bool {
    match part.to_lowercase().as_str() {
        "year" => holds_whole("year", fine),
        "quarter" => holds_whole("quarter", fine),
        "month" => holds_whole("month", fine),
        _ => false,
    }
}

/// Whether the value of `expression` is made of those of its parts, row by row.
pub(crate) fn is_function_of_its_parts(expression: &Expr) -> bool {
    match expression {
        Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::InList(_) => true,
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        _ => false,
    }
}
