//! How far the past errors of every group's series reached into their intervals. Not a function that users call: the
//! plan of `ai_forecast` pools what it gives.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use tithe_compute::forecast::{Forecaster, Reach, Request, held_out_by, held_out_requests};

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, HORIZON, KnownSeries, MODEL, Modelling, Observations, Parameter,
    PeriodType, SEASON, SeriesFunction,
};

/// Origins that errors are taken from, a horizon apart.
pub(crate) const FOLDS: usize = 2;

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ForecastReach;

impl SeriesFunction for ForecastReach {
    const NAME: &'static str = "forecast_reach";
    const PARAMETERS: &'static [Parameter] = &[HORIZON, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Known = KnownSeries;
    type Answer = Vec<Reach>;

    fn options(constants: &Constants) -> Result<Modelling> {
        Modelling::new(constants)
    }

    fn result_type(_period: &DataType) -> DataType {
        DataType::List(Arc::new(item()))
    }

    /// No entries where there is no forecast.
    fn known(
        group: &Observations,
        options: &Modelling,
        period: &PeriodType,
    ) -> Result<Result<KnownSeries, Vec<Reach>>> {
        Ok(options.series("ai_forecast", group, period)?.map_err(|_unusable| Vec::new()))
    }

    fn requests<'a>(known: &'a KnownSeries, options: &Modelling) -> Vec<Request<'a>> {
        held_out_requests(&known.request(options), FOLDS)
    }

    fn answer(
        known: &KnownSeries,
        options: &Modelling,
        _period: &PeriodType,
        forecaster: &mut dyn Forecaster,
    ) -> Vec<Reach> {
        held_out_by(&known.request(options), FOLDS, forecaster).unwrap_or_default()
    }

    fn to_array(answers: &[Option<Vec<Reach>>], _period: &PeriodType) -> Result<ArrayRef> {
        let total: usize = answers.iter().flatten().map(Vec::len).sum();
        if i32::try_from(total).is_err() {
            return exec_err!(
                "ai_forecast: {total} errors are too many for one batch; ask for a smaller horizon"
            );
        }
        let column = |of: fn(&Reach) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(answers.iter().flatten().flatten().map(of)))
        };
        let columns = vec![column(|reach| reach.of80), column(|reach| reach.of95)];
        let reaches = StructArray::try_new(fields(), columns, None)?;
        let offsets =
            OffsetBuffer::from_lengths(answers.iter().map(|answer| answer.as_ref().map_or(0, Vec::len)));
        let nulls = NullBuffer::from_iter(answers.iter().map(Option::is_some));
        Ok(Arc::new(ListArray::try_new(Arc::new(item()), offsets, Arc::new(reaches), Some(nulls))?))
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("of80", DataType::Float64, true),
        Field::new("of95", DataType::Float64, true),
    ])
}

fn item() -> Field {
    Field::new_list_field(DataType::Struct(fields()), true)
}
