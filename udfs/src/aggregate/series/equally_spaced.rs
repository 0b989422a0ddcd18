//! From the rows of a group to equally spaced values.

use datafusion::common::{Result, exec_err};

use super::frequency::Frequency;
use super::observations::{Observation, Observations};
use super::period::PeriodType;

/// What a missing period counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gaps {
    /// On the straight line between its neighbours.
    Interpolate,
    /// Nothing was received.
    Zero,
    /// As the period before.
    Previous,
    /// The group gets no answer.
    Null,
    /// The query fails.
    Error,
}

impl Gaps {
    /// The names users write.
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("interpolate", Self::Interpolate),
        ("zero", Self::Zero),
        ("previous", Self::Previous),
        ("null", Self::Null),
        ("error", Self::Error),
    ];
}

/// Values of successive periods, oldest first, all finite; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) values: Vec<f64>,
    /// Values in a season.
    pub(crate) season: usize,
    /// How many of the values were missing and filled.
    pub(crate) filled: usize,
    /// Where the values stand in time.
    pub(crate) timeline: Timeline,
}

/// Why the rows of a group are no series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unusable {
    /// The word for `status`.
    pub(crate) status: String,
    /// What is known of the periods all the same.
    pub(crate) timeline: Timeline,
}

/// The last period of a series and the grid that it is on, where they are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline {
    last: Option<i64>,
    frequency: Option<Frequency>,
}

impl Timeline {
    /// The period `steps` after the last (before it for a negative number).
    pub(crate) fn at(&self, steps: i64, period: &PeriodType) -> Option<i64> {
        if steps == 0 {
            return self.last;
        }
        self.frequency.as_ref()?.shifted(self.last?, steps, period)
    }

    /// Whether the periods are successive months.
    pub(crate) fn is_monthly(&self) -> bool {
        self.frequency.as_ref().is_some_and(Frequency::is_monthly)
    }

    /// The `horizon` periods after the last.
    pub(crate) fn after(&self, horizon: usize, period: &PeriodType) -> Vec<Option<i64>> {
        (1_i64..).take(horizon).map(|steps| self.at(steps, period)).collect()
    }
}

/// The series of a group. `season` replaces the usual one.
///
/// # Errors
/// When periods are missing and the caller asked `function` for an error.
pub(crate) fn equally_spaced(
    function: &str,
    group: &Observations,
    season: Option<usize>,
    gaps: Gaps,
    period: &PeriodType,
) -> Result<Result<Series, Unusable>> {
    let mut rows = group.rows.clone();
    rows.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
    let mut times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    times.dedup();
    let frequency = Frequency::recognise(&times, period, season);
    let timeline = Timeline { last: times.last().copied(), frequency };
    let unusable = |status: &str| Ok(Err(Unusable { status: status.to_owned(), timeline: timeline.clone() }));
    if rows.is_empty() {
        return unusable("no_data");
    }
    if times.len() < rows.len() {
        return unusable("duplicate_period");
    }
    if rows.iter().any(|row| !row.value.is_finite()) {
        return unusable("non_finite");
    }
    let (values, filled) = match &timeline.frequency {
        Some(frequency) => match on_grid(&rows, frequency, gaps, period) {
            Some(filled) => filled,
            None => return unusable("irregular"),
        },
        None if rows.len() == 1 => (vec![rows[0].value], 0),
        None => return unusable("irregular"),
    };
    if filled > 0 && gaps == Gaps::Null {
        return unusable(&format!("gaps:{filled}"));
    }
    if filled > 0 && gaps == Gaps::Error {
        return exec_err!(
            "{function}: {filled} periods are missing between {} and {}; give `gaps` another value than 'error' to \
             go on without them",
            times.first().map(|time| period.describe(*time)).unwrap_or_default(),
            times.last().map(|time| period.describe(*time)).unwrap_or_default()
        );
    }
    let season = timeline.frequency.as_ref().map_or(1, |frequency| frequency.season);
    Ok(Ok(Series { values, season, filled, timeline }))
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
