//! `forecast(period, value, horizon [, model, season, gaps, calendar, drift])`: the next values of every group's series.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

pub(crate) use document::FORECAST;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, MODEL, Modelling, Observations, Parameter, PeriodType, SEASON,
    SeriesFunction,
};
use evaluation::GroupForecast;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Forecast;

impl SeriesFunction for Forecast {
    const NAME: &'static str = "forecast";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Answer = GroupForecast;

    fn options(constants: &Constants) -> Result<Modelling> {
        Modelling::new(constants)
    }

    fn result_type(period: &DataType) -> DataType {
        output::result_type(period)
    }

    fn evaluate(
        group: &Observations,
        options: &Modelling,
        period: &PeriodType,
    ) -> Result<Option<GroupForecast>> {
        evaluation::evaluate(group, options, period)
    }

    fn to_array(answers: &[Option<GroupForecast>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_lists(answers, period)
    }
}
