//! From the rows of a group to the parts of its forecast.

use datafusion::common::Result;
use tithe_compute::forecast::{Explanation, explain};

use crate::aggregate::series::{Modelling, Observations, PeriodType, Unusable, forecast_status};

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

/// The explanation of a group; `None` if it has no rows.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn evaluate(
    group: &Observations,
    options: &Modelling,
    period: &PeriodType,
) -> Result<Option<GroupExplanation>> {
    if !group.seen {
        return Ok(None);
    }
    let without_forecast = |unusable: Unusable| GroupExplanation {
        times: unusable.timeline.after(options.horizon, period),
        length_and_season: None,
        found: None,
        status: unusable.status,
    };
    let known = match options.series("forecast_explain", group, period)? {
        Ok(known) => known,
        Err(unusable) => return Ok(Some(without_forecast(unusable))),
    };
    let (values, season) = (&known.series.values, known.series.season);
    let found = match explain(values, season, options.horizon, options.model, &known.adjustments()) {
        Ok(found) => found,
        Err(_not_finite) => {
            let timeline = known.series.timeline;
            return Ok(Some(without_forecast(Unusable { status: "non_finite".to_owned(), timeline })));
        }
    };
    Ok(Some(GroupExplanation {
        times: known.series.timeline.after(options.horizon, period),
        length_and_season: Some((values.len(), season)),
        status: forecast_status(known.remarks, found.forecast.basis, found.forecast.clamped),
        found: Some(found),
    }))
}
