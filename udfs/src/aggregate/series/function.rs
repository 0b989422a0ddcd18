//! An aggregate of a series, as DataFusion sees it.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};

use super::accumulator::SeriesAccumulator;
use super::constants::Constants;
use super::groups_accumulator::SeriesGroupsAccumulator;
use super::observations::{self, Observations};
use super::parameter::{self, Parameter};
use super::period::PeriodType;

/// One aggregate: what it takes besides a series, and what it makes of one. An answer depends on the rows of its
/// group and the options alone, never on the order of the rows.
pub(crate) trait SeriesFunction: Debug + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// SQL name.
    const NAME: &'static str;
    /// The parameters after `period` and `value`; the first has no default.
    const PARAMETERS: &'static [Parameter];
    /// The constant arguments.
    type Options: Debug + Send + Sync;
    /// What is known of one group.
    type Answer: Send;

    /// Reads the constant arguments.
    ///
    /// # Errors
    /// When one is not what its parameter takes.
    fn options(constants: &Constants) -> Result<Self::Options>;

    /// The type of the result for periods of this type.
    fn result_type(period: &DataType) -> DataType;

    /// The answer for one group; `None` if it has no rows.
    ///
    /// # Errors
    /// When the caller asked for an error on bad data.
    fn evaluate(
        group: &Observations,
        options: &Self::Options,
        period: &PeriodType,
    ) -> Result<Option<Self::Answer>>;

    /// One row for each group, NULL for `None`.
    ///
    /// # Errors
    /// When the answers do not fit one array.
    fn to_array(answers: &[Option<Self::Answer>], period: &PeriodType) -> Result<ArrayRef>;
}

/// The aggregate function of `F`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SeriesAggregate<F> {
    signature: Signature,
    function: PhantomData<F>,
}

impl<F: SeriesFunction> SeriesAggregate<F> {
    /// The function, ready to be registered.
    pub(crate) fn create() -> Arc<AggregateUDF> {
        let mut signature = Signature::user_defined(Volatility::Immutable);
        let names = parameter::names(F::PARAMETERS);
        signature.parameter_names = Some(names.into_iter().map(str::to_owned).collect());
        Arc::new(AggregateUDF::new_from_impl(Self { signature, function: PhantomData }))
    }

    fn configuration(args: &AccumulatorArgs) -> Result<(F::Options, PeriodType)> {
        if args.is_distinct {
            return plan_err!(
                "{} does not take DISTINCT: a period that occurs twice is reported in `status`",
                F::NAME
            );
        }
        let options = F::options(&Constants::from_physical(F::NAME, F::PARAMETERS, args.exprs)?)?;
        let period = match args.expr_fields.first() {
            Some(field) => PeriodType::new(F::NAME, field.data_type())?,
            None => return plan_err!("{} has no argument `period`", F::NAME),
        };
        Ok((options, period))
    }
}

impl<F: SeriesFunction> AggregateUDFImpl for SeriesAggregate<F> {
    fn name(&self) -> &str {
        F::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(parameter::coerced(F::PARAMETERS, arg_types))
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        parameter::check_types(F::NAME, F::PARAMETERS, arg_types)?;
        Ok(F::result_type(&arg_types[0]))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let named = |part: &str, data_type| {
            let name = format_state_name(args.name, part);
            Arc::new(Field::new(name, data_type, true))
        };
        let columns = observations::state_columns(parameter::has_received(F::PARAMETERS));
        Ok(columns.iter().map(|(part, data_type)| named(part, data_type())).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (options, period) = Self::configuration(&args)?;
        Ok(Box::new(SeriesAccumulator::<F>::new(options, period)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let (options, period) = Self::configuration(&args)?;
        Ok(Box::new(SeriesGroupsAccumulator::<F>::new(options, period)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    /// Changes nothing: this is where the values of the constant arguments are first known, so that a
    /// wrong one is an error of the plan and not of its first batch.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|function: AggregateFunction, _| {
            F::options(&Constants::from_plan(F::NAME, F::PARAMETERS, &function.params.args)?)?;
            Ok(Expr::AggregateFunction(function))
        }))
    }
}
