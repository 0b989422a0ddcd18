//! `influencer_income(evidence [, draws, seed, explain, priors])`: what a creator probably earned in a year.

mod arguments;
mod backend;
mod documentation;
mod evidence;
mod priors;
mod result;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::cast::as_struct_array;
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tithe_compute::income::{Estimate, Evidence, Flag, Flags, Priors};

use self::arguments::Options;
use self::backend::EstimateBackend;
use self::result::Row;
use crate::backend::Backend;
use crate::registry::{FunctionEntry, Implementation};

const NAME: &str = "influencer_income";
const PARAMETERS: [&str; 5] = ["evidence", "draws", "seed", "explain", "priors"];
const PRIORS: usize = 4;

pub(crate) fn entry() -> FunctionEntry {
    FunctionEntry {
        doc: &documentation::DOC,
        implementation: Implementation::Scalar(Arc::new(ScalarUDF::from(InfluencerIncome::new()))),
    }
}

#[derive(Debug)]
struct InfluencerIncome {
    signature: Signature,
    backend: EstimateBackend,
}

// Where it computes is no part of what it is.
impl PartialEq for InfluencerIncome {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for InfluencerIncome {}

impl Hash for InfluencerIncome {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

/// `function` on a backend, if it is this one.
///
/// # Errors
/// When `backend` is one.
pub(crate) fn with_backend(
    function: &ScalarUDF,
    backend: impl FnOnce() -> Result<Backend>,
) -> Result<Option<Arc<ScalarUDF>>> {
    if function.inner().downcast_ref::<InfluencerIncome>().is_none() {
        return Ok(None);
    }
    Ok(Some(Arc::new(ScalarUDF::from(InfluencerIncome::on(backend()?)))))
}

impl InfluencerIncome {
    /// On the processor until a plan is told otherwise.
    fn new() -> Self {
        Self::on(Backend::Cpu)
    }

    fn on(backend: Backend) -> Self {
        let mut signature = Signature::user_defined(Volatility::Immutable);
        signature.parameter_names = Some(PARAMETERS.map(str::to_owned).to_vec());
        Self { signature, backend: EstimateBackend::new(backend) }
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
                "{NAME} takes 1 to 5 arguments (evidence, draws, seed, explain, priors), got {}",
                args.arg_fields.len()
            );
        };
        evidence::check(evidence.data_type())?;
        Options::from_literals(args.scalar_arguments)?;
        if let Some(field) = args.arg_fields.get(PRIORS) {
            priors::check(field.data_type())?;
        }
        if let Some(Some(literal)) = args.scalar_arguments.get(PRIORS) {
            priors::check_literal(literal)?;
        }
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
        let Some(evidence) = args.args.first() else {
            return internal_err!("{NAME} was called without evidence");
        };
        let sets = args.args.get(PRIORS).filter(|sets| !sets.data_type().is_null());
        if let (ColumnarValue::Scalar(evidence), None | Some(ColumnarValue::Scalar(_))) = (evidence, sets) {
            let sets = sets.map(|sets| sets.to_array(1)).transpose()?;
            let estimates = estimates(&evidence.to_array_of_size(1)?, sets.as_ref(), options, &self.backend)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&estimates, 0)?));
        }
        let sets = match sets {
            Some(ColumnarValue::Scalar(one)) => Some(one.to_array_of_size(1)?),
            Some(ColumnarValue::Array(many)) => Some(Arc::clone(many)),
            None => None,
        };
        let evidence = evidence.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(estimates(&evidence, sets.as_ref(), options, &self.backend)?))
    }
}

/// The estimates of all rows, with one list of priors for all or one for each.
fn estimates(
    evidence: &ArrayRef,
    sets: Option<&ArrayRef>,
    options: Options,
    backend: &EstimateBackend,
) -> Result<ArrayRef> {
    if evidence.data_type().is_null() {
        return Ok(new_null_array(&result::data_type(), evidence.len()));
    }
    let evidence = evidence::read(as_struct_array(evidence)?)?;
    let of_all =
        |evidence: &[Option<Evidence>], priors: &Priors| backend.estimates(evidence, priors, options);
    let sets = match sets {
        Some(lists) => priors::read(lists)?,
        None => vec![Ok(priors::built_in())],
    };
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(evidence.len());
    match sets.as_slice() {
        [Ok((priors, version))] => {
            let estimates = of_all(&evidence, priors)?;
            rows.extend(estimates.into_iter().map(|estimate| Row {
                estimate,
                version: Some(version),
                wrong: None,
            }));
        }
        [Err(wrong)] => rows.extend(evidence.iter().map(|evidence| refused(evidence.as_ref(), wrong))),
        sets => {
            rows.extend(evidence.iter().zip(sets).map(|(evidence, set)| match set {
                Ok((_, version)) => Row { estimate: None, version: Some(version), wrong: None },
                Err(wrong) => refused(evidence.as_ref(), wrong),
            }));
            for group in priors::grouped(sets) {
                let own: Vec<Option<Evidence>> =
                    group.rows.iter().map(|row| evidence[*row].clone()).collect();
                for (row, estimate) in group.rows.into_iter().zip(of_all(&own, group.priors)?) {
                    rows[row].estimate = estimate;
                }
            }
        }
    }
    Ok(Arc::new(result::build(&rows, options.seed)?))
}

/// A row whose priors cannot be used: nothing is estimated, and it says why.
fn refused<'a>(evidence: Option<&Evidence>, wrong: &'a str) -> Row<'a> {
    let mut flags = Flags::default();
    flags.raise(Flag::BadPriors);
    let estimate = evidence.map(|_| Estimate { amounts: None, flags, contributions: None });
    Row { estimate, version: None, wrong: Some(wrong) }
}
