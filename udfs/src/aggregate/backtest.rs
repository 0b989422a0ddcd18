//! `backtest(period, value, horizon [, folds, model, season, gaps, calendar, drift])`: how good the forecasts of every
//! group's series would have been.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Request, backtest_requests};

pub(crate) use document::BACKTEST;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, KnownSeries, MODEL, Modelling, Observations, Parameter,
    PeriodType, SEASON, SeriesFunction, Takes,
};
use evaluation::GroupBacktest;

const FOLDS: Parameter = Parameter { name: "folds", takes: Takes::Count(100) };
/// How many origins there are unless told.
const USUAL_FOLDS: usize = 3;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct BacktestFunction;

/// The constant arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    modelling: Modelling,
    folds: usize,
}

impl SeriesFunction for BacktestFunction {
    const NAME: &'static str = "backtest";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, FOLDS, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Options;
    type Known = KnownSeries;
    type Answer = GroupBacktest;

    fn options(constants: &Constants) -> Result<Options> {
        let modelling = Modelling::new(constants)?;
        Ok(Options { modelling, folds: constants.count("folds")?.unwrap_or(USUAL_FOLDS) })
    }

    fn result_type(period: &DataType) -> DataType {
        output::result_type(period)
    }

    fn known(
        group: &Observations,
        options: &Options,
        period: &PeriodType,
    ) -> Result<Result<KnownSeries, GroupBacktest>> {
        evaluation::known(group, options, period)
    }

    fn requests<'a>(known: &'a KnownSeries, options: &Options) -> Vec<Request<'a>> {
        backtest_requests(&known.request(&options.modelling), options.folds)
    }

    fn answer(
        known: &KnownSeries,
        options: &Options,
        period: &PeriodType,
        forecaster: &mut dyn Forecaster,
    ) -> GroupBacktest {
        evaluation::answer(known, options, period, forecaster)
    }

    fn to_array(answers: &[Option<GroupBacktest>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_structs(answers, period)
    }
}
