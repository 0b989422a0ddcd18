//! `forecast_explain(period, value, horizon [, model, season, gaps, calendar, drift])`: why the forecast of every
//! group's series is what it is.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

pub(crate) use document::FORECAST_EXPLAIN;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, MODEL, Modelling, Observations, Parameter, PeriodType, SEASON,
    SeriesFunction,
};
use evaluation::GroupExplanation;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ForecastExplain;

impl SeriesFunction for ForecastExplain {
    const NAME: &'static str = "forecast_explain";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Answer = GroupExplanation;

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
    ) -> Result<Option<GroupExplanation>> {
        evaluation::evaluate(group, options, period)
    }

    fn to_array(answers: &[Option<GroupExplanation>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_structs(answers, period)
    }
}
