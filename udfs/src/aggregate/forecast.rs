//! `forecast(period, value, horizon [, model, season, gaps, calendar, drift])`: the next values of every group's series.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Request};

pub(crate) use document::FORECAST;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, KnownSeries, MODEL, Modelling, Observations, Parameter,
    PeriodType, SEASON, SeriesFunction,
};
use evaluation::GroupForecast;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Forecast;

impl SeriesFunction for Forecast {
    const NAME: &'static str = "forecast";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Known = KnownSeries;
    type Answer = GroupForecast;

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
    ) -> Result<Result<KnownSeries, GroupForecast>> {
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
    ) -> GroupForecast {
        evaluation::answer(known, options, period, forecaster)
    }

    fn to_array(answers: &[Option<GroupForecast>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_lists(answers, period)
    }
}
