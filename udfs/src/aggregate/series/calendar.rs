//! Where a moving holiday falls in the periods of a series.

use chrono::Datelike;
use tithe_compute::calendar::lunar_new_year_share;

use super::equally_spaced::Series;
use super::period::PeriodType;

/// A calendar whose holidays move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// Every year is like the last.
    Fixed,
    /// The Lunar New Year falls in January, in February, or in both.
    LunarNewYear,
}

impl Calendar {
    /// The names users write.
    pub(crate) const ALL: [(&'static str, Self); 2] =
        [("none", Self::Fixed), ("lunar_new_year", Self::LunarNewYear)];

    /// The share of the holiday in every period of `series` and the `horizon` after it; `None` where the periods are
    /// not months, or one lies outside of the years whose calendar is known.
    pub(crate) fn shares(self, series: &Series, horizon: usize, period: &PeriodType) -> Option<Vec<f64>> {
        if self == Self::Fixed || !series.timeline.is_monthly() {
            return None;
        }
        let first = 1 - i64::try_from(series.values.len()).ok()?;
        let share = |steps| {
            let time = period.to_calendar(series.timeline.at(steps, period)?)?;
            lunar_new_year_share(time.year(), time.month())
        };
        (first..).take(series.values.len() + horizon).map(share).collect()
    }
}
