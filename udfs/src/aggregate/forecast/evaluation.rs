//! From the rows of a group to its forecast.

use datafusion::common::Result;
use tithe_compute::forecast::{Model, Step, forecast_adjusted};

use crate::aggregate::series::{Modelling, Observations, PeriodType, Unusable, forecast_status};

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

/// The forecast of a group; `None` if it has no rows.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn evaluate(
    group: &Observations,
    options: &Modelling,
    period: &PeriodType,
) -> Result<Option<GroupForecast>> {
    if !group.seen {
        return Ok(None);
    }
    let without_forecast = |unusable: Unusable| GroupForecast {
        times: unusable.timeline.after(options.horizon, period),
        steps: Vec::new(),
        model: None,
        status: unusable.status,
    };
    let known = match options.series("forecast", group, period)? {
        Ok(known) => known,
        Err(unusable) => return Ok(Some(without_forecast(unusable))),
    };
    let (values, season) = (&known.series.values, known.series.season);
    let adjustments = known.adjustments();
    let forecast = match forecast_adjusted(values, season, options.horizon, options.model, &adjustments) {
        Ok(forecast) => forecast,
        Err(_not_finite) => {
            let timeline = known.series.timeline;
            return Ok(Some(without_forecast(Unusable { status: "non_finite".to_owned(), timeline })));
        }
    };
    Ok(Some(GroupForecast {
        times: known.series.timeline.after(options.horizon, period),
        status: forecast_status(known.remarks, forecast.basis, forecast.clamped),
        steps: forecast.steps,
        model: Some(forecast.model),
    }))
}
