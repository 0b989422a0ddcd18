//! Which keys of groups have codes, and how they come by them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, CastExpr, Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::branch_codes::BranchCodes;
use super::number_codes::{NumberCodes, is_number};
use crate::optimize::text_codes::{keeping_codes, with_texts};

/// A key of a group, with the dictionary of what it has been so far.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// A text that is read as codes.
    Text(Arc<dyn PhysicalExpr>),
    /// Computed once for each number that its column has, a day included.
    Numbers(NumberCodes),
    /// One of a few values.
    Branches(BranchCodes),
}

impl Key {
    /// `expr` over rows of `schema`, in which `columns` are codes; `None` if it has none.
    ///
    /// # Errors
    /// When an expression cannot be put together again.
    pub(super) fn of(
        expr: &Arc<dyn PhysicalExpr>,
        schema: &Schema,
        columns: &BTreeSet<usize>,
    ) -> Result<Option<Self>> {
        if let Some(column) = expr.downcast_ref::<Column>()
            && columns.contains(&column.index())
        {
            return Ok(Some(Self::Text(keeping_codes(expr, columns)?)));
        }
        if expr.is::<CaseExpr>() {
            let case = with_texts(expr, columns)?;
            let Some(case) = case.downcast_ref::<CaseExpr>() else { return Ok(None) };
            return Ok(BranchCodes::of(case, &expr.data_type(schema)?)?.map(Self::Branches));
        }
        let mut read = collect_columns(expr).into_iter();
        let (Some(column), None) = (read.next(), read.next()) else { return Ok(None) };
        let is_number = is_number(schema.field(column.index()).data_type());
        if !is_number || !fails_outside_a_range_alone(expr) {
            return Ok(None);
        }
        NumberCodes::of(expr, &column, schema).map(Self::Numbers).map(Some)
    }

    /// Whether its codes are found faster than it is: a number is found as fast as its code.
    pub(super) fn saves(&self) -> bool {
        match self {
            Self::Text(_) | Self::Branches(_) => true,
            Self::Numbers(numbers) => !numbers.expr().is::<Column>(),
        }
    }

    /// What is computed in each row.
    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        match self {
            Self::Text(expr) => expr,
            Self::Numbers(numbers) => numbers.expr(),
            Self::Branches(branches) => branches.expr(),
        }
    }

    /// The key of each row: codes, or what it is where those would be too many.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub(super) fn evaluate(&mut self, batch: &RecordBatch) -> Result<ArrayRef> {
        match self {
            Self::Text(expr) => expr.evaluate(batch)?.into_array(batch.num_rows()),
            Self::Numbers(numbers) => numbers.evaluate(batch),
            Self::Branches(branches) => branches.evaluate(batch),
        }
    }
}

/// Whether `expr` can be computed for every number between two for which it can.
///
/// Then computing it for all of them finds no error that the rows themselves would not have met.
fn fails_outside_a_range_alone(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let itself = if let Some(function) = expr.downcast_ref::<ScalarFunctionExpr>() {
        ["date_trunc", "date_part"].contains(&function.fun().name())
    } else if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        is_number(cast.cast_type())
            || matches!(cast.cast_type(), DataType::Timestamp(_, None) | DataType::Date64)
    } else if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        let by = binary.right().downcast_ref::<Literal>().map(Literal::value);
        match binary.op() {
            Operator::Plus | Operator::Minus | Operator::Multiply => by.is_some(),
            Operator::Divide | Operator::Modulo => by.is_some_and(|by| !is_zero(by)),
            _ => false,
        }
    } else if let Some(literal) = expr.downcast_ref::<Literal>() {
        !literal.value().is_null()
    } else {
        expr.is::<Column>()
    };
    itself && expr.children().into_iter().all(fails_outside_a_range_alone)
}

fn is_zero(value: &ScalarValue) -> bool {
    value.is_null() || ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| zero == *value)
}
