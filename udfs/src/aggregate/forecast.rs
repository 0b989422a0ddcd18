//! `forecast(period, value, horizon [, model, season, gaps])`: the next values of every group's series.

mod document;
mod evaluation;
mod options;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

pub(crate) use document::FORECAST;

use super::series::{Constants, Observations, Parameter, PeriodType, SeriesFunction};
use evaluation::GroupForecast;
use options::Options;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Forecast;

impl SeriesFunction for Forecast {
    const NAME: &'static str = "forecast";
    const PARAMETERS: &'static [Parameter] = &options::PARAMETERS;
    type Options = Options;
    type Answer = GroupForecast;

    fn options(constants: &Constants) -> Result<Options> {
        Options::new(constants)
    }

    fn result_type(period: &DataType) -> DataType {
        output::result_type(period)
    }

    fn evaluate(
        group: &Observations,
        options: &Options,
        period: &PeriodType,
    ) -> Result<Option<GroupForecast>> {
        evaluation::evaluate(group, options, period)
    }

    fn to_array(answers: &[Option<GroupForecast>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_lists(answers, period)
    }
}
