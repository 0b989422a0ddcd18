//! Which first rows of each partition of a window a filter asks for.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::split_conjunction;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowExpr};

use crate::optimize::window_calls::{function_name, share_window};

/// For more rows of each partition it does not pay.
const MOST: usize = 100;

/// Of the rows of each partition, those that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FirstRows {
    /// How many; at least 1.
    pub(super) wanted: usize,
    /// Whether rows that are equal count as one.
    pub(super) distinct: bool,
}

/// A column that a condition bounds, and the largest number that it lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) column: usize,
    pub(super) most: usize,
}

/// What the parts of `condition` that must all be true say of single columns.
pub(super) fn bounds(condition: &Arc<dyn PhysicalExpr>) -> Vec<Bound> {
    split_conjunction(condition).into_iter().filter_map(bound).collect()
}

fn bound(condition: &Arc<dyn PhysicalExpr>) -> Option<Bound> {
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let (column, operator, number) = match binary.left().downcast_ref::<Column>() {
        Some(column) => (column, *binary.op(), binary.right()),
        None => (binary.right().downcast_ref::<Column>()?, binary.op().swap()?, binary.left()),
    };
    let number = whole_number(number.downcast_ref::<Literal>()?.value())?;
    let most = match operator {
        Operator::Eq | Operator::LtEq => number,
        Operator::Lt => number.checked_sub(1)?,
        _ => return None,
    };
    Some(Bound { column: column.index(), most })
}

fn whole_number(value: &ScalarValue) -> Option<usize> {
    if !value.data_type().is_integer() {
        return None;
    }
    match value.cast_to(&DataType::UInt64).ok()? {
        ScalarValue::UInt64(number) => usize::try_from(number?).ok(),
        _ => None,
    }
}

/// The rows that must come out of `window` for the sake of `bounds` on its columns; `None` if that may be all of them, or if
/// one of its functions is about other rows than those that come before.
pub(super) fn first_rows(window: &BoundedWindowAggExec, bounds: &[Bound]) -> Option<FirstRows> {
    let calls = window.window_expr();
    let first = calls.first()?;
    if first.partition_by().is_empty() || first.order_by().is_empty() || !share_window(calls) {
        return None;
    }
    let distinct = calls.iter().map(counts_distinct).collect::<Option<Vec<bool>>>()?;
    let columns = window.input().schema().fields().len();
    let wanted = bounds.iter().filter_map(|bound| {
        let distinct = *distinct.get(bound.column.checked_sub(columns)?)?;
        Some(FirstRows { wanted: bound.most, distinct })
    });
    // Of two conditions, the one that leaves fewer rows: where equal rows count as one, there may be any number.
    wanted.filter(|rows| (1..=MOST).contains(&rows.wanted)).min_by_key(|rows| (rows.distinct, rows.wanted))
}

/// Whether `call` numbers equal rows as one; `None` if it does not number rows by how many come before.
fn counts_distinct(call: &Arc<dyn WindowExpr>) -> Option<bool> {
    match function_name(call)? {
        "row_number" | "rank" => Some(false),
        "dense_rank" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_expr::expressions::lit;

    use super::*;

    fn place() -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new("place", 3))
    }

    fn comparison(
        left: Arc<dyn PhysicalExpr>,
        operator: Operator,
        right: Arc<dyn PhysicalExpr>,
    ) -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(left, operator, right))
    }

    #[test]
    fn conditions_that_bound_a_place() {
        use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        let column = |operator, number: u64| comparison(place(), operator, lit(number));
        let number = |number: i64, operator| comparison(lit(number), operator, place());
        for (condition, most) in [
            (column(LtEq, 3), Some(3)),
            (column(Lt, 3), Some(2)),
            (column(Eq, 1), Some(1)),
            (column(Lt, 0), None),
            (column(Gt, 3), None),
            (column(GtEq, 3), None),
            (column(NotEq, 3), None),
            (number(3, GtEq), Some(3)),
            (number(3, Gt), Some(2)),
            (number(5, Eq), Some(5)),
            (number(3, Lt), None),
            (number(3, LtEq), None),
            (number(-1, GtEq), None),
            (comparison(place(), LtEq, lit(3.0)), None),
            (comparison(place(), LtEq, lit(ScalarValue::UInt64(None))), None),
            (comparison(place(), LtEq, place()), None),
            (comparison(column(LtEq, 3), Operator::Or, column(Eq, 1)), None),
        ] {
            let found = bounds(&condition);
            let expected: Vec<Bound> = most.map(|most| Bound { column: 3, most }).into_iter().collect();
            assert_eq!(found, expected, "{condition}");
        }
        let both = comparison(column(GtEq, 1), Operator::And, column(LtEq, 4));
        let all = comparison(both, Operator::And, comparison(lit(2_u64), Gt, place()));
        assert_eq!(bounds(&all), [Bound { column: 3, most: 4 }, Bound { column: 3, most: 1 }]);
    }
}
