//! From the rows of a group to its forecast.

use datafusion::common::Result;
use tithe_compute::forecast::{Basis, Model, Step, forecast_series};

use super::options::Options;
use crate::aggregate::series::{Observations, PeriodType, Unusable, equally_spaced};

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
    options: &Options,
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
    let series = match equally_spaced("forecast", group, options.season, options.gaps, period)? {
        Ok(series) => series,
        Err(unusable) => return Ok(Some(without_forecast(unusable))),
    };
    let forecast = match forecast_series(&series.values, series.season, options.horizon, options.model) {
        Ok(forecast) => forecast,
        Err(_not_finite) => {
            let unusable = Unusable { status: "non_finite".to_owned(), timeline: series.timeline };
            return Ok(Some(without_forecast(unusable)));
        }
    };
    let mut status = Vec::new();
    if series.filled > 0 {
        status.push(format!("gaps_filled:{}", series.filled));
    }
    match forecast.basis {
        Basis::Full => {}
        Basis::ShortHistory => status.push("short_history".to_owned()),
        Basis::Constant => status.push("constant".to_owned()),
        Basis::SingleValue => status.push("too_short".to_owned()),
    }
    if forecast.clamped {
        status.push("overflow".to_owned());
    }
    Ok(Some(GroupForecast {
        times: series.timeline.after(options.horizon, period),
        steps: forecast.steps,
        model: Some(forecast.model),
        status: if status.is_empty() { "ok".to_owned() } else { status.join(";") },
    }))
}
