//! An aggregate of a series, as DataFusion sees it.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};

use tithe_compute::forecast::{Forecaster, Request};

use super::accumulator::SeriesAccumulator;
use super::constants::Constants;
use super::evaluation::Evaluation;
use super::groups_accumulator::SeriesGroupsAccumulator;
use super::observations::{self, Observations};
use super::parameter::{self, Parameter};
use super::period::PeriodType;
use crate::backend::{Backend, requested_backend};

/// One aggregate: what it takes besides a series, and what it makes of one. An answer depends on the rows of its
/// group and the options alone, never on the order of the rows.
pub(crate) trait SeriesFunction: Debug + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// SQL name.
    const NAME: &'static str;
    /// The parameters after `period` and `value`; the first has no default.
    const PARAMETERS: &'static [Parameter];
    /// The constant arguments.
    type Options: Debug + Send + Sync;
    /// A group before anything is forecast.
    type Known: Send + Sync;
    /// What is told of one group.
    type Answer: Send + Sync;

    /// Reads the constant arguments.
    ///
    /// # Errors
    /// When one is not what its parameter takes.
    fn options(constants: &Constants) -> Result<Self::Options>;

    /// The type of the result for periods of this type.
    fn result_type(period: &DataType) -> DataType;

    /// What is known of a group, which has rows, before anything is forecast; the answer at once where nothing will be.
    ///
    /// # Errors
    /// When the caller asked for an error on bad data.
    fn known(
        group: &Observations,
        options: &Self::Options,
        period: &PeriodType,
    ) -> Result<Result<Self::Known, Self::Answer>>;

    /// The forecasts that the answer will ask for, in their order, as far as that is known: they may be made together
    /// with those of other groups.
    fn requests<'a>(known: &'a Self::Known, options: &Self::Options) -> Vec<Request<'a>>;

    /// The answer, with forecasts by `forecaster`.
    fn answer(
        known: &Self::Known,
        options: &Self::Options,
        period: &PeriodType,
        forecaster: &mut dyn Forecaster,
    ) -> Self::Answer;

    /// One row for each group, NULL for `None`.
    ///
    /// # Errors
    /// When the answers do not fit one array.
    fn to_array(answers: &[Option<Self::Answer>], period: &PeriodType) -> Result<ArrayRef>;
}

/// The aggregate function of `F`.
#[derive(Debug)]
pub(crate) struct SeriesAggregate<F> {
    signature: Signature,
    /// `None`: that of the environment.
    backend: Option<Backend>,
    function: PhantomData<F>,
}

/// Where it computes does not make it another function: its answers are the same.
impl<F> PartialEq for SeriesAggregate<F> {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl<F> Eq for SeriesAggregate<F> {}

impl<F> Hash for SeriesAggregate<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

impl<F: SeriesFunction> SeriesAggregate<F> {
    /// The function, ready to be registered.
    pub(crate) fn create() -> Arc<AggregateUDF> {
        Self::on(None)
    }

    /// What makes `function`, if it is this one, compute on a backend.
    pub(crate) fn with_backend(function: &AggregateUDF) -> Option<fn(Backend) -> Arc<AggregateUDF>> {
        function
            .inner()
            .downcast_ref::<Self>()
            .map(|_| -> fn(Backend) -> _ { |backend| Self::on(Some(backend)) })
    }

    fn on(backend: Option<Backend>) -> Arc<AggregateUDF> {
        let mut signature = Signature::user_defined(Volatility::Immutable);
        let names = parameter::names(F::PARAMETERS);
        signature.parameter_names = Some(names.into_iter().map(str::to_owned).collect());
        Arc::new(AggregateUDF::new_from_impl(Self { signature, backend, function: PhantomData }))
    }

    fn configuration(&self, args: &AccumulatorArgs) -> Result<Evaluation<F>> {
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
        let backend = match self.backend {
            Some(backend) => backend,
            None => requested_backend(None).map_err(|error| plan_datafusion_err!("{}: {error}", F::NAME))?,
        };
        Ok(Evaluation::new(options, period, backend))
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
        Ok(Box::new(SeriesAccumulator::<F>::new(self.configuration(&args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(SeriesGroupsAccumulator::<F>::new(self.configuration(&args)?)))
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
