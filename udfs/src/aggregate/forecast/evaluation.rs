//! From the rows of a group to its forecast.

use datafusion::common::{Result, exec_err};
use tithe_compute::forecast::{Basis, Model, Step, forecast_series};

use super::arguments::{Gaps, Options};
use super::frequency::Frequency;
use super::observations::{Observation, Observations};
use super::period::PeriodType;

/// The forecast of a group: `horizon` steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupForecast {
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
    let mut rows = group.rows.clone();
    rows.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
    let mut times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    times.dedup();
    let frequency = Frequency::recognise(&times, period, options.season);
    let refused =
        |status: &str| Ok(Some(without_forecast(status, times.last(), frequency.as_ref(), options, period)));
    if rows.is_empty() {
        return refused("no_data");
    }
    if times.len() < rows.len() {
        return refused("duplicate_period");
    }
    if rows.iter().any(|row| !row.value.is_finite()) {
        return refused("non_finite");
    }
    let (values, missing) = match &frequency {
        Some(frequency) => match on_grid(&rows, frequency, options.gaps, period) {
            Some(filled) => filled,
            None => return refused("irregular"),
        },
        None if rows.len() == 1 => (vec![rows[0].value], 0),
        None => return refused("irregular"),
    };
    if missing > 0 && options.gaps == Gaps::Null {
        return refused(&format!("gaps:{missing}"));
    }
    if missing > 0 && options.gaps == Gaps::Error {
        return exec_err!(
            "forecast: {missing} periods are missing between {} and {}; give `gaps` another value than 'error' to \
             forecast without them",
            times.first().map(|time| period.describe(*time)).unwrap_or_default(),
            times.last().map(|time| period.describe(*time)).unwrap_or_default()
        );
    }
    let season = frequency.as_ref().map_or(1, |frequency| frequency.season);
    let forecast = match forecast_series(&values, season, options.horizon, options.model) {
        Ok(forecast) => forecast,
        Err(_not_finite) => return refused("non_finite"),
    };
    let mut status = Vec::new();
    if missing > 0 {
        status.push(format!("gaps_filled:{missing}"));
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
        times: times_after(times.last(), frequency.as_ref(), options.horizon, period),
        steps: forecast.steps,
        model: Some(forecast.model),
        status: if status.is_empty() { "ok".to_owned() } else { status.join(";") },
    }))
}

fn without_forecast(
    status: &str,
    last: Option<&i64>,
    frequency: Option<&Frequency>,
    options: &Options,
    period: &PeriodType,
) -> GroupForecast {
    GroupForecast {
        times: times_after(last, frequency, options.horizon, period),
        steps: Vec::new(),
        model: None,
        status: status.to_owned(),
    }
}

fn times_after(
    last: Option<&i64>,
    frequency: Option<&Frequency>,
    horizon: usize,
    period: &PeriodType,
) -> Vec<Option<i64>> {
    let at = |step| frequency?.after(*last?, step, period);
    (1..=horizon).map(at).collect()
}

/// The values of every place on the grid, and how many were missing; `None` where two rows share a place.
fn on_grid(
    rows: &[Observation],
    frequency: &Frequency,
    gaps: Gaps,
    period: &PeriodType,
) -> Option<(Vec<f64>, usize)> {
    let first = rows.first()?;
    let mut values = Vec::with_capacity(rows.len());
    values.push(first.value);
    let mut before = first.value;
    for row in &rows[1..] {
        let index = usize::try_from(frequency.index(first.time, row.time, period)?).ok()?;
        let missing = index.checked_sub(values.len())?;
        for place in 1..=missing {
            let share = place as f64 / (missing + 1) as f64;
            values.push(match gaps {
                Gaps::Zero => 0.0,
                Gaps::Previous => before,
                Gaps::Interpolate | Gaps::Null | Gaps::Error => before * (1.0 - share) + row.value * share,
            });
        }
        values.push(row.value);
        before = row.value;
    }
    let missing = values.len() - rows.len();
    Some((values, missing))
}
