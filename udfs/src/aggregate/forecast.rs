//! `forecast(period, value, horizon [, model, season, gaps])`: the next values of every group's series.

mod accumulator;
mod arguments;
mod document;
mod evaluation;
mod frequency;
mod groups_accumulator;
mod observations;
mod output;
mod period;
mod values;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};

pub(crate) use document::FORECAST;

use accumulator::ForecastAccumulator;
use arguments::{Options, PARAMETERS};
use groups_accumulator::ForecastGroupsAccumulator;
use period::PeriodType;

const NAME: &str = "forecast";

/// The aggregate function.
pub(crate) fn forecast() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(ForecastFunction::new()))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ForecastFunction {
    signature: Signature,
}

impl ForecastFunction {
    fn new() -> Self {
        let mut signature = Signature::user_defined(Volatility::Immutable);
        signature.parameter_names = Some(PARAMETERS.map(str::to_owned).to_vec());
        Self { signature }
    }
}

impl AggregateUDFImpl for ForecastFunction {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments::coerced(arg_types))
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        arguments::check_types(arg_types)?;
        Ok(output::result_type(&arg_types[0]))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let named = |part: &str, data_type| {
            let name = format_state_name(args.name, part);
            Arc::new(Field::new(name, data_type, true))
        };
        Ok(observations::STATE.iter().map(|(part, data_type)| named(part, data_type())).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (options, period) = configuration(&args)?;
        Ok(Box::new(ForecastAccumulator::new(options, period)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let (options, period) = configuration(&args)?;
        Ok(Box::new(ForecastGroupsAccumulator::new(options, period)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    /// Changes nothing: this is where the values of the constant arguments are first known, so that a
    /// wrong one is an error of the plan and not of its first batch.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|function: AggregateFunction, _| {
            Options::from_plan(&function.params.args)?;
            Ok(Expr::AggregateFunction(function))
        }))
    }
}

fn configuration(args: &AccumulatorArgs) -> Result<(Options, PeriodType)> {
    if args.is_distinct {
        return plan_err!(
            "forecast does not take DISTINCT: a period that occurs twice is reported in `status`"
        );
    }
    let options = Options::from_physical(args.exprs)?;
    let period = match args.expr_fields.first() {
        Some(field) => PeriodType::new(field.data_type())?,
        None => return plan_err!("forecast has no argument `period`"),
    };
    Ok((options, period))
}
