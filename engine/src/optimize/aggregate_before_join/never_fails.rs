//! Which expressions have a value for every row.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};

/// Functions that have a value for whatever they take.
const TOTAL: [&str; 8] =
    ["btrim", "character_length", "coalesce", "lower", "ltrim", "nullif", "rtrim", "upper"];
/// Decimal digits of 128 bits.
const MOST_DIGITS: i16 = 38;

/// Whether `expression`, over columns with `schema`, fails on no row that there may be. What is not known to be so is taken
/// to fail. `is_near` says of a column of dates that all of them are timestamps, too.
///
/// # Errors
/// When an expression has no type.
pub(in crate::optimize) fn never_fails(
    expression: &Expr,
    schema: &DFSchema,
    is_near: &dyn Fn(&Column) -> bool,
) -> Result<bool> {
    let fails = expression.exists(|part| Ok(!part_never_fails(part, schema, is_near)?))?;
    Ok(!fails)
}

fn part_never_fails(part: &Expr, schema: &DFSchema, is_near: &dyn Fn(&Column) -> bool) -> Result<bool> {
    Ok(match part {
        Expr::Column(_)
        | Expr::Literal(..)
        | Expr::Alias(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::TryCast(_)
        | Expr::InList(_) => true,
        Expr::Like(like) => matches!(like.pattern.as_ref(), Expr::Literal(..)),
        Expr::BinaryExpr(binary) => operator_never_fails(binary, schema)?,
        Expr::Cast(cast) => cast_never_fails(cast, schema, is_near)?,
        Expr::ScalarFunction(call) => function_never_fails(call, is_near),
        _ => false,
    })
}

/// Whether `operator` compares two values, or connects two comparisons: whatever they are, it has an answer.
pub(in crate::optimize) fn compares(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::And
            | Operator::Or
            | Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn operator_never_fails(binary: &BinaryExpr, schema: &DFSchema) -> Result<bool> {
    match binary.op {
        operator if compares(operator) => return Ok(true),
        Operator::StringConcat => return Ok(true),
        Operator::Plus | Operator::Minus | Operator::Multiply => {}
        _ => return Ok(false),
    }
    Ok(match (binary.left.get_type(schema)?, binary.right.get_type(schema)?) {
        // Whole numbers wrap.
        (left, right) if left.is_integer() => left == right,
        // Where the result has all digits that it may need.
        (DataType::Decimal128(left, left_scale), DataType::Decimal128(right, right_scale)) => {
            let [left, left_scale] = [i16::from(left), i16::from(left_scale)];
            let [right, right_scale] = [i16::from(right), i16::from(right_scale)];
            let digits = match binary.op {
                Operator::Multiply => left + right + 1,
                _ => left_scale.max(right_scale) + (left - left_scale).max(right - right_scale) + 1,
            };
            left_scale >= 0 && right_scale >= 0 && digits <= MOST_DIGITS
        }
        _ => false,
    })
}

fn cast_never_fails(cast: &Cast, schema: &DFSchema, is_near: &dyn Fn(&Column) -> bool) -> Result<bool> {
    let (from, to) = (cast.expr.get_type(schema)?, cast.field.data_type());
    Ok(match (&from, to) {
        (from, to) if from == to => true,
        (from, to) if is_text(from) && is_text(to) => true,
        (from, DataType::Float64) => from.is_numeric(),
        (from, to) if from.is_integer() && to.is_integer() => {
            let widens = from.primitive_width() < to.primitive_width();
            widens && (from.is_unsigned_integer() || to.is_signed_integer())
        }
        (from, DataType::Decimal128(digits, scale)) if from.is_integer() && *scale >= 0 => {
            i16::from(*digits) - i16::from(*scale) >= digits_of(from)
        }
        (DataType::Decimal128(from, from_scale), DataType::Decimal128(to, to_scale)) => {
            let whole = |digits: u8, scale: i8| i16::from(digits) - i16::from(scale);
            from_scale <= to_scale && whole(*from, *from_scale) <= whole(*to, *to_scale)
        }
        (DataType::Date32, DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, None)) => true,
        (DataType::Date32, DataType::Timestamp(_, None)) => {
            matches!(cast.expr.as_ref(), Expr::Column(column) if is_near(column))
        }
        _ => false,
    })
}

fn function_never_fails(call: &ScalarFunction, is_near: &dyn Fn(&Column) -> bool) -> bool {
    let is_literal = |place: usize| matches!(call.args.get(place), Some(Expr::Literal(..)));
    match call.func.name() {
        "date_part" => is_literal(0),
        // The first moments that a timestamp can be are cut to ones that it cannot.
        "date_trunc" => match call.args.as_slice() {
            [Expr::Literal(..), Expr::Cast(cast)] => {
                matches!(cast.expr.as_ref(), Expr::Column(column) if is_near(column))
            }
            _ => false,
        },
        name => TOTAL.contains(&name),
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

/// That any number of this type has at most.
fn digits_of(kind: &DataType) -> i16 {
    match kind.primitive_width() {
        Some(1) => 3,
        Some(2) => 5,
        Some(4) => 10,
        _ => 20,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::functions::datetime::expr_fn::{date_part, date_trunc};
    use datafusion::functions::expr_fn::{coalesce, substr};
    use datafusion::logical_expr::{cast, col, lit, try_cast, when};

    use super::*;

    fn check(expression: Expr, expected: bool) {
        let field = |name: &str, kind: DataType| Field::new(name, kind, true);
        let schema = DFSchema::try_from(Schema::new(vec![
            field("small", DataType::Int32),
            field("n", DataType::Int64),
            field("money", DataType::Decimal128(12, 2)),
            field("wide", DataType::Decimal128(30, 2)),
            field("float", DataType::Float64),
            field("text", DataType::Utf8View),
            field("near", DataType::Date32),
            field("day", DataType::Date32),
        ]))
        .unwrap();
        let found = never_fails(&expression, &schema, &|column| column.name == "near").unwrap();
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn what_may_fail_is_told_from_what_may_not() {
        let when = |condition: Expr| when(condition, col("n")).end().unwrap();
        let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, None);
        for total in [
            col("n"),
            col("n") + lit(1_i64),
            col("n") * col("n") - lit(3_i64),
            col("money") * col("money"),
            col("money") + col("wide"),
            cast(col("small"), DataType::Int64),
            cast(col("n"), DataType::Decimal128(20, 0)),
            cast(col("money"), DataType::Decimal128(20, 4)),
            cast(col("money"), DataType::Float64),
            cast(col("text"), DataType::Utf8),
            when(col("money").gt(col("wide")).and(col("text").is_not_null())),
            when(col("text").like(lit("%x"))),
            coalesce(vec![col("n"), lit(0_i64)]),
            date_part(lit("year"), col("day")),
            date_trunc(lit("month"), cast(col("near"), nanoseconds.clone())),
            try_cast(col("text"), DataType::Int64),
        ] {
            check(total, true);
        }
        for partial in [
            col("n") / lit(2_i64),
            col("n") % lit(2_i64),
            col("wide") * col("money") * col("money"),
            when((col("n") / col("small")).gt(lit(1_i64))),
            cast(col("n"), DataType::Int32),
            cast(col("n"), DataType::Decimal128(19, 0)),
            cast(col("money"), DataType::Decimal128(11, 2)),
            cast(col("money"), DataType::Decimal128(12, 1)),
            cast(col("money"), DataType::Int64),
            cast(col("text"), DataType::Int64),
            cast(col("day"), nanoseconds.clone()),
            date_trunc(lit("month"), cast(col("day"), nanoseconds)),
            date_part(col("text"), col("day")),
            substr(col("text"), col("n")),
        ] {
            check(partial, false);
        }
    }
}
