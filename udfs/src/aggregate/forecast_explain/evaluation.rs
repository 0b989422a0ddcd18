//! From the rows of a group to the parts of its forecast.

use datafusion::common::Result;
use tithe_compute::forecast::{Explanation, Forecaster, explain_by};

use crate::aggregate::series::{KnownSeries, Modelling, Observations, PeriodType, Unusable, forecast_status};

/// The forecast of a group and its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupExplanation {
    /// Periods of the steps, where the series has a frequency.
    pub(super) times: Vec<Option<i64>>,
    /// The number of values that the forecast learnt from, and of values in a season.
    pub(super) length_and_season: Option<(usize, usize)>,
    /// `None` where there is no forecast.
    pub(super) found: Option<Explanation>,
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
) -> Result<Result<KnownSeries, GroupExplanation>> {
    let known = options.series("forecast_explain", group, period)?;
    Ok(known.map_err(|unusable| without_forecast(unusable, options, period)))
}

fn without_forecast(unusable: Unusable, options: &Modelling, period: &PeriodType) -> GroupExplanation {
    GroupExplanation {
        times: unusable.timeline.after(options.horizon, period),
        length_and_season: None,
        found: None,
        status: unusable.status,
    }
}

/// The explanation of a series' forecast.
pub(super) fn answer(
    known: &KnownSeries,
    options: &Modelling,
    period: &PeriodType,
    forecaster: &mut dyn Forecaster,
) -> GroupExplanation {
    let timeline = &known.series.timeline;
    let found = match explain_by(&known.request(options), forecaster) {
        Ok(found) => found,
        Err(_not_finite) => {
            let unusable = Unusable { status: "non_finite".to_owned(), timeline: timeline.clone() };
            return without_forecast(unusable, options, period);
        }
    };
    GroupExplanation {
        times: timeline.after(options.horizon, period),
        length_and_season: Some((known.series.values.len(), known.series.season)),
        status: forecast_status(known.remarks.clone(), found.forecast.basis, found.forecast.clamped),
        found: Some(found),
    }
}
