//! `influencer_income(evidence [, draws, seed, explain])`: what a creator probably earned in a year.

mod arguments;
mod documentation;
mod evidence;
mod result;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::cast::as_struct_array;
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tithe_compute::income::{Priors, estimate_all};

use self::arguments::Options;
use crate::registry::{FunctionEntry, Implementation};

const NAME: &str = "influencer_income";
const PARAMETERS: [&str; 4] = ["evidence", "draws", "seed", "explain"];

pub(crate) fn entry() -> FunctionEntry {
    FunctionEntry {
        doc: &documentation::DOC,
        implementation: Implementation::Scalar(Arc::new(ScalarUDF::from(InfluencerIncome::new()))),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct InfluencerIncome {
    signature: Signature,
}

impl InfluencerIncome {
    fn new() -> Self {
        let mut signature = Signature::user_defined(Volatility::Immutable);
        signature.parameter_names = Some(PARAMETERS.map(str::to_owned).to_vec());
        Self { signature }
    }
}

impl ScalarUDFImpl for InfluencerIncome {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(result::data_type())
    }

    /// Takes types as they are: what is wrong with them is said by [`Self::return_field_from_args`], whose
    /// errors reach the user as they are.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let Some(evidence) = args.arg_fields.first().filter(|_| args.arg_fields.len() <= PARAMETERS.len())
        else {
            return plan_err!(
                "{NAME} takes 1 to 4 arguments (evidence, draws, seed, explain), got {}",
                args.arg_fields.len()
            );
        };
        evidence::check(evidence.data_type())?;
        Options::from_literals(args.scalar_arguments)?;
        Ok(Arc::new(Field::new(NAME, result::data_type(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut literals = Vec::new();
        for argument in &args.args {
            literals.push(match argument {
                ColumnarValue::Scalar(value) => Some(value),
                ColumnarValue::Array(_) => None,
            });
        }
        let options = Options::from_literals(&literals)?;
        match args.args.first() {
            Some(ColumnarValue::Scalar(value)) => {
                let estimates = estimates(&value.to_array_of_size(1)?, options)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&estimates, 0)?))
            }
            Some(ColumnarValue::Array(array)) => Ok(ColumnarValue::Array(estimates(array, options)?)),
            None => internal_err!("{NAME} was called without evidence"),
        }
    }
}

fn estimates(evidence: &ArrayRef, options: Options) -> Result<ArrayRef> {
    if evidence.data_type().is_null() {
        return Ok(new_null_array(&result::data_type(), evidence.len()));
    }
    let rows = evidence::read(as_struct_array(evidence)?)?;
    let seed = options.seed.cast_unsigned();
    let estimates = estimate_all(&rows, &Priors::default(), options.draws, seed, options.explain);
    let array: StructArray = result::build(&estimates, options.seed)?;
    Ok(Arc::new(array))
}
