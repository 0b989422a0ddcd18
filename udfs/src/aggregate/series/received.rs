//! What had been received of every period of a series, beside its totals.

use super::equally_spaced::Series;
use super::observations::{Observation, Observations};
use super::period::PeriodType;

/// The second numbers of a group, on the grid of its totals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    /// Of every period of the series and the one after it; `None` where it is not known, or the total is not.
    pub(crate) by_period: Vec<Option<f64>>,
    /// Numbers that are not finite, or whose period is neither of the series nor the next.
    pub(crate) unused: usize,
    /// Whether a period has two.
    pub(crate) duplicate: bool,
}

impl Received {
    pub(crate) fn of(group: &Observations, series: &Series, period: &PeriodType) -> Self {
        let in_order = |rows: &[Observation]| {
            let mut rows = rows.to_vec();
            rows.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
            rows
        };
        let (totals, received) = (in_order(&group.rows), in_order(&group.received));
        let duplicate = received.windows(2).any(|pair| pair[0].time == pair[1].time);
        let at = |rows: &[Observation], time: i64| {
            let found = rows.binary_search_by_key(&time, |row| row.time).ok()?;
            rows.get(found).map(|row| row.value)
        };
        let length = series.values.len();
        let mut steps = -i64::try_from(length).unwrap_or(i64::MAX);
        let mut used = 0;
        let mut by_period = Vec::with_capacity(length + 1);
        for place in 0..=length {
            steps += 1;
            let time = series.timeline.at(steps, period);
            let value = time.and_then(|time| at(&received, time)).filter(|value| value.is_finite());
            let known = place == length || time.is_some_and(|time| at(&totals, time).is_some());
            used += usize::from(value.is_some());
            by_period.push(value.filter(|_| known));
        }
        Self { by_period, unused: received.len() - used.min(received.len()), duplicate }
    }
}
