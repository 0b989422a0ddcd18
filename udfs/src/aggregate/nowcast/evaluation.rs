//! From the rows of a group to its running period.

use datafusion::common::Result;
use tithe_compute::forecast::{Nowcast, Receipts, nowcast};

use crate::aggregate::series::{Modelling, Observations, PeriodType, Received, Unusable, forecast_status};

/// The running period of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupNowcast {
    /// The running period, where the series has a frequency.
    pub(super) time: Option<i64>,
    /// What was received of it.
    pub(super) received: Option<f64>,
    /// `None` where there is no forecast.
    pub(super) found: Option<Nowcast>,
    /// `ok`, or what a reader must know, separated by semicolons.
    pub(super) status: String,
}

/// The nowcast of a group; `None` if it has no rows.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn evaluate(
    group: &Observations,
    options: &Modelling,
    period: &PeriodType,
) -> Result<Option<GroupNowcast>> {
    if !group.seen {
        return Ok(None);
    }
    let without = |unusable: Unusable| GroupNowcast {
        time: unusable.timeline.at(1, period),
        received: None,
        found: None,
        status: unusable.status,
    };
    let known = match options.series("nowcast", group, period)? {
        Ok(known) => known,
        Err(unusable) => return Ok(Some(without(unusable))),
    };
    let received = Received::of(group, &known.series, period);
    if received.duplicate {
        let (status, timeline) = ("duplicate_period".to_owned(), known.series.timeline);
        return Ok(Some(without(Unusable { status, timeline })));
    }
    let receipts =
        Receipts { totals: &known.series.values, received: &received.by_period, season: known.series.season };
    let found = match nowcast(receipts, options.model, &known.adjustments()) {
        Ok(found) => found,
        Err(_not_finite) => {
            let (status, timeline) = ("non_finite".to_owned(), known.series.timeline);
            return Ok(Some(without(Unusable { status, timeline })));
        }
    };
    let to_date = received.by_period.last().copied().flatten();
    let mut remarks = known.remarks;
    if received.unused > 0 {
        remarks.push(format!("received_unused:{}", received.unused));
    }
    if to_date.is_none() {
        remarks.push("no_receipts".to_owned());
    } else if !found.is_weighed() {
        remarks.push(format!("short_receipts:{}", found.folds));
    }
    Ok(Some(GroupNowcast {
        time: known.series.timeline.at(1, period),
        received: to_date,
        status: forecast_status(remarks, found.basis, found.clamped),
        found: Some(found),
    }))
}
