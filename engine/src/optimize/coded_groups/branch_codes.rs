//! A key that is one of a few values: `CASE … THEN 'small' … ELSE 'large' END`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CaseExpr, Literal, lit};

use super::conditions::Conditions;

/// Values at most.
const MOST_BRANCHES: usize = 256;

/// The codes of such a key: the places of its values.
#[derive(Debug, Clone)]
pub(super) struct BranchCodes {
    /// The key with places instead of values.
    branch: Arc<dyn PhysicalExpr>,
    /// The same, where every condition may be asked of every row.
    conditions: Option<Conditions>,
    values: ArrayRef,
}

impl BranchCodes {
    /// Those of `case`, whose values are of `data_type`; `None` if one is not a literal.
    ///
    /// # Errors
    /// When the expression cannot be put together again.
    pub(super) fn of(case: &CaseExpr, data_type: &DataType) -> Result<Option<Self>> {
        let mut values: Vec<ScalarValue> = Vec::new();
        let mut code_of = |value: &Arc<dyn PhysicalExpr>| {
            let value = value.downcast_ref::<Literal>()?.value();
            let known = values.iter().position(|known| known == value);
            let code = known.unwrap_or_else(|| {
                values.push(value.clone());
                values.len() - 1
            });
            Some(lit(i32::try_from(code).ok()?))
        };
        let branches =
            case.when_then_expr().iter().map(|(when, then)| Some((Arc::clone(when), code_of(then)?)));
        let Some(branches) = branches.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let otherwise = match case.else_expr().map(&mut code_of) {
            Some(None) => return Ok(None),
            Some(otherwise) => otherwise,
            None => None,
        };
        if values.len() > MOST_BRANCHES {
            return Ok(None);
        }
        let Ok(values) = ScalarValue::iter_to_array(values) else { return Ok(None) };
        let values = cast(&values, data_type)?;
        let conditions =
            case.expr().is_none().then(|| Conditions::of(&branches, otherwise.as_ref())).flatten();
        let branch = Arc::new(CaseExpr::try_new(case.expr().cloned(), branches, otherwise)?);
        Ok(Some(Self { branch, conditions, values }))
    }

    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.branch
    }

    /// The key of each row of `batch`, as codes.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let codes = match &self.conditions {
            Some(conditions) => conditions.evaluate(batch)?,
            None => {
                let codes = self.branch.evaluate(batch)?.into_array(batch.num_rows())?;
                let Some(codes) = codes.as_primitive_opt::<Int32Type>() else {
                    return internal_err!("the place of a value is {}", codes.data_type());
                };
                codes.clone()
            }
        };
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, Arc::clone(&self.values))?))
    }
}
