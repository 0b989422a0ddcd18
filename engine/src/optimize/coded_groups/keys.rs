//! Which keys of groups have codes, and how they come by them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, CastExpr, Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::branch_codes::{BranchCodes, branches};
use super::number_codes::{NumberCodes, is_number};
use crate::optimize::text_codes::{keeping_codes, with_texts};

/// A key of a group.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// A text that is read as codes.
    Text(Arc<dyn PhysicalExpr>),
    /// Computed once for each number that its column has, a day included.
    Numbers { column: Arc<dyn PhysicalExpr>, of_column: Arc<dyn PhysicalExpr>, whole: Arc<dyn PhysicalExpr> },
    /// One of a few values.
    Branches { branch: Arc<dyn PhysicalExpr>, values: ArrayRef },
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
        if let Some(case) = expr.downcast_ref::<CaseExpr>() {
            let Some((branch, values)) = branches(case, &expr.data_type(schema)?)? else { return Ok(None) };
            return Ok(Some(Self::Branches { branch: with_texts(&branch, columns)?, values }));
        }
        let mut read = collect_columns(expr).into_iter();
        let (Some(column), None) = (read.next(), read.next()) else { return Ok(None) };
        let field = schema.field(column.index());
        if !is_number(field.data_type()) || !fails_outside_a_range_alone(expr) {
            return Ok(None);
        }
        let of_column = Arc::clone(expr).transform(|part| {
            Ok(match part.is::<Column>() {
                true => Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>),
                false => Transformed::no(part),
            })
        });
        Ok(Some(Self::Numbers {
            column: Arc::new(column.clone()),
            of_column: of_column.data()?,
            whole: Arc::clone(expr),
        }))
    }

    /// Whether its codes are found faster than it is: a number is found as fast as its code.
    pub(super) fn saves(&self) -> bool {
        match self {
            Self::Text(_) | Self::Branches { .. } => true,
            Self::Numbers { whole, .. } => !whole.is::<Column>(),
        }
    }

    /// What is computed in each row.
    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        match self {
            Self::Text(expr) | Self::Numbers { whole: expr, .. } | Self::Branches { branch: expr, .. } => {
                expr
            }
        }
    }
}

/// A key with the dictionary of what it has been so far.
#[derive(Debug)]
pub(super) enum KeyCodes {
    Text(Arc<dyn PhysicalExpr>),
    Numbers(NumberCodes),
    Branches(BranchCodes),
}

impl KeyCodes {
    /// # Errors
    /// When the key is not of rows of `input`.
    pub(super) fn of(key: &Key, input: &Schema) -> Result<Self> {
        Ok(match key {
            Key::Text(expr) => Self::Text(Arc::clone(expr)),
            Key::Numbers { column, of_column, whole } => {
                let field = Field::new("number", column.data_type(input)?, true);
                let (column, of_column) = (Arc::clone(column), Arc::clone(of_column));
                Self::Numbers(NumberCodes::new(column, of_column, Arc::clone(whole), field))
            }
            Key::Branches { branch, values } => {
                Self::Branches(BranchCodes::new(Arc::clone(branch), Arc::clone(values)))
            }
        })
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
