//! Conditions on a moment that fall on the borders of a calendar grain: `day >= DATE '2024-03-01'` takes whole months.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::rollup::definition::Key;
use crate::rollup::keyed::{Keyed, as_it_was};

/// `condition` as one on a key that is `date_trunc` of the column it compares; `None` when it cuts through a grain.
///
/// # Errors
/// When an expression cannot be walked.
pub(super) fn aligned(keyed: &Keyed<'_>, condition: &Expr) -> Result<Option<Expr>> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (column, Expr::Literal(bound, _)) => compared(keyed, column, *op, bound),
            (Expr::Literal(bound, _), column) => match op.swap() {
                Some(swapped) => compared(keyed, column, swapped, bound),
                None => Ok(None),
            },
            _ => Ok(None),
        },
        Expr::Between(Between { expr, negated, low, high }) => {
            let (Expr::Literal(low, _), Expr::Literal(high, _)) = (low.as_ref(), high.as_ref()) else {
                return Ok(None);
            };
            let from = compared(keyed, expr, Operator::GtEq, low)?;
            let to = compared(keyed, expr, Operator::LtEq, high)?;
            Ok(from.zip(to).map(|(from, to)| match negated {
                false => from.and(to),
                true => Expr::Not(Box::new(from.and(to))),
            }))
        }
        _ => Ok(None),
    }
}

fn compared(keyed: &Keyed<'_>, column: &Expr, op: Operator, bound: &ScalarValue) -> Result<Option<Expr>> {
    // The first moment that is within, or the first that is not.
    let (first, op) = match op {
        Operator::GtEq => (Some(bound.clone()), Operator::GtEq),
        Operator::Lt => (Some(bound.clone()), Operator::Lt),
        Operator::Gt => (moved(bound, 1), Operator::GtEq),
        Operator::LtEq => (moved(bound, 1), Operator::Lt),
        _ => return Ok(None),
    };
    let Some(first) = first else { return Ok(None) };
    let Some(before) = moved(&first, -1) else { return Ok(None) };
    for key in &keyed.definition.keys {
        let within = |of: &&Expr| *of == column || as_it_was(of, &keyed.definition.base) == column;
        let Some(of) = truncated(&key.expression).filter(within) else { continue };
        let grain = grain_of(keyed, key, of, column, &first)?;
        let other = grain_of(keyed, key, of, column, &before)?;
        if let (Some(grain), Some(other)) = (grain, other)
            && grain != other
        {
            let border = Expr::Literal(grain, None);
            return Ok(Some(Expr::BinaryExpr(BinaryExpr::new(
                Box::new(keyed.column(&key.text)),
                op,
                Box::new(border),
            ))));
        }
    }
    Ok(None)
}

/// What is cut by `date_trunc`, which never falls when that rises.
fn truncated(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::ScalarFunction(call) if call.func.name() == "date_trunc" => call.args.get(1),
        _ => None,
    }
}

/// The grain that `moment` falls into; `None` where that cannot be told.
fn grain_of(
    keyed: &Keyed<'_>,
    key: &Key,
    of: &Expr,
    column: &Expr,
    moment: &ScalarValue,
) -> Result<Option<ScalarValue>> {
    let moment = Expr::Literal(moment.clone(), None);
    let value = match of == column {
        true => moment,
        false => {
            of.clone()
                .transform(|part| {
                    Ok(match part == *column {
                        true => Transformed::yes(moment.clone()),
                        false => Transformed::no(part),
                    })
                })?
                .data
        }
    };
    let whole = key.expression.clone().transform_down(|part| {
        Ok(match part == *of {
            true => {
                Transformed::new(value.clone(), true, datafusion::common::tree_node::TreeNodeRecursion::Jump)
            }
            false => Transformed::no(part),
        })
    })?;
    // A moment that is out of range has no grain.
    Ok(match keyed.simplifier.simplify(whole.data) {
        Ok(Expr::Literal(grain, _)) if !grain.is_null() => Some(grain),
        _ => None,
    })
}

/// The next moment that the type can say, or the one before.
fn moved(moment: &ScalarValue, by: i8) -> Option<ScalarValue> {
    let wide = i64::from(by);
    Some(match moment {
        ScalarValue::Date32(Some(day)) => ScalarValue::Date32(Some(day.checked_add(i32::from(by))?)),
        ScalarValue::TimestampSecond(Some(at), zone) => {
            ScalarValue::TimestampSecond(Some(at.checked_add(wide)?), zone.clone())
        }
        ScalarValue::TimestampMillisecond(Some(at), zone) => {
            ScalarValue::TimestampMillisecond(Some(at.checked_add(wide)?), zone.clone())
        }
        ScalarValue::TimestampMicrosecond(Some(at), zone) => {
            ScalarValue::TimestampMicrosecond(Some(at.checked_add(wide)?), zone.clone())
        }
        ScalarValue::TimestampNanosecond(Some(at), zone) => {
            ScalarValue::TimestampNanosecond(Some(at.checked_add(wide)?), zone.clone())
        }
        _ => return None,
    })
}
