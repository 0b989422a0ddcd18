//! `forecast_explain(period, value, horizon [, model, season, gaps, calendar, drift])`: why the forecast of every
//! group's series is what it is.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Request};

pub(crate) use document::FORECAST_EXPLAIN;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, KnownSeries, MODEL, Modelling, Observations, Parameter,
    PeriodType, SEASON, SeriesFunction,
};
use evaluation::GroupExplanation;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ForecastExplain;

impl SeriesFunction for ForecastExplain {
    const NAME: &'static str = "forecast_explain";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Known = KnownSeries;
    type Answer = GroupExplanation;

    fn options(constants: &Constants) -> Result<Modelling> {
        Modelling::new(constants)
    }

    fn result_type(period: &DataType) -> DataType {
        output::result_type(period)
    }

    fn known(
        group: &Observations,
        options: &Modelling,
        period: &PeriodType,
    ) -> Result<Result<KnownSeries, GroupExplanation>> {
        evaluation::known(group, options, period)
    }

    fn requests<'a>(known: &'a KnownSeries, options: &Modelling) -> Vec<Request<'a>> {
        vec![known.request(options)]
    }

    fn answer(
        known: &KnownSeries,
        options: &Modelling,
        period: &PeriodType,
        forecaster: &mut dyn Forecaster,
    ) -> GroupExplanation {
        evaluation::answer(known, options, period, forecaster)
    }

    fn to_array(answers: &[Option<GroupExplanation>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_structs(answers, period)
    }
}
