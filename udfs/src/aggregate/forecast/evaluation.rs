//! From the rows of a group to its forecast.

use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Model, Step};

use crate::aggregate::series::{KnownSeries, Modelling, Observations, PeriodType, Unusable, forecast_status};

/// The forecast of a group: `horizon` steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupForecast {
    /// Periods of the steps, where the series has a frequency.
    pub(super) times: Vec<Option<i64>>,
    /// Empty where there is no forecast.
    pub(super) steps: Vec<Step>,
    /// Empty where there is no forecast.
    pub(super) model: Option<Model>,
    /// `ok`, or what a reader must know, separated by semicolons.
    pub(super) status: String,
}

/// The series of a group, or what there is to say without one.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn known(
    group: &Observations,
    options: &Modelling,
    period: &PeriodType,
) -> Result<Result<KnownSeries, GroupForecast>> {
    let known = options.series("forecast", group, period)?;
    Ok(known.map_err(|unusable| without_forecast(unusable, options, period)))
}

fn without_forecast(unusable: Unusable, options: &Modelling, period: &PeriodType) -> GroupForecast {
    GroupForecast {
        times: unusable.timeline.after(options.horizon, period),
        steps: Vec::new(),
        model: None,
        status: unusable.status,
    }
}

/// The forecast of a series.
pub(super) fn answer(
    known: &KnownSeries,
    options: &Modelling,
    period: &PeriodType,
    forecaster: &mut dyn Forecaster,
) -> GroupForecast {
    let timeline = &known.series.timeline;
    let forecast = match forecaster.forecast(&known.request(options)) {
        Ok(forecast) => forecast,
        Err(_not_finite) => {
            let unusable = Unusable { status: "non_finite".to_owned(), timeline: timeline.clone() };
            return without_forecast(unusable, options, period);
        }
    };
    GroupForecast {
        times: timeline.after(options.horizon, period),
        status: forecast_status(known.remarks.clone(), forecast.basis, forecast.clamped),
        steps: forecast.steps,
        model: Some(forecast.model),
    }
}
