//! From the rows of a group to its running period.

use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Nowcast, Receipts, Request, nowcast_by, nowcast_requests};

use crate::aggregate::series::{
    KnownSeries, Modelling, Observations, PeriodType, Received, Series, Unusable, forecast_status,
};

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

/// The complete periods of a group, and what was received of each.
#[derive(Debug)]
pub(crate) struct KnownReceipts {
    known: KnownSeries,
    received: Received,
}

impl KnownReceipts {
    fn receipts(&self) -> Receipts<'_> {
        let Series { values, season, .. } = &self.known.series;
        Receipts { totals: values, received: &self.received.by_period, season: *season }
    }
}

/// The series of a group, or what there is to say without one.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn known(
    group: &Observations,
    options: &Modelling,
    period: &PeriodType,
) -> Result<Result<KnownReceipts, GroupNowcast>> {
    let known = match options.series("nowcast", group, period)? {
        Ok(known) => known,
        Err(unusable) => return Ok(Err(without(unusable, period))),
    };
    let received = Received::of(group, &known.series, period);
    if received.duplicate {
        let (status, timeline) = ("duplicate_period".to_owned(), known.series.timeline);
        return Ok(Err(without(Unusable { status, timeline }, period)));
    }
    Ok(Ok(KnownReceipts { known, received }))
}

fn without(unusable: Unusable, period: &PeriodType) -> GroupNowcast {
    GroupNowcast {
        time: unusable.timeline.at(1, period),
        received: None,
        found: None,
        status: unusable.status,
    }
}

/// The forecasts that the nowcast will ask for.
pub(super) fn requests<'a>(receipts: &'a KnownReceipts, options: &Modelling) -> Vec<Request<'a>> {
    nowcast_requests(receipts.receipts(), options.model, &receipts.known.adjustments())
}

/// The nowcast of a series.
pub(super) fn answer(
    receipts: &KnownReceipts,
    options: &Modelling,
    period: &PeriodType,
    forecaster: &mut dyn Forecaster,
) -> GroupNowcast {
    let KnownReceipts { known, received } = receipts;
    let timeline = &known.series.timeline;
    let found = match nowcast_by(receipts.receipts(), options.model, &known.adjustments(), forecaster) {
        Ok(found) => found,
        Err(_not_finite) => {
            let unusable = Unusable { status: "non_finite".to_owned(), timeline: timeline.clone() };
            return without(unusable, period);
        }
    };
    let to_date = received.by_period.last().copied().flatten();
    let mut remarks = known.remarks.clone();
    if received.unused > 0 {
        remarks.push(format!("received_unused:{}", received.unused));
    }
    if to_date.is_none() {
        remarks.push("no_receipts".to_owned());
    } else if !found.is_weighed() {
        remarks.push(format!("short_receipts:{}", found.folds));
    }
    GroupNowcast {
        time: timeline.at(1, period),
        received: to_date,
        status: forecast_status(remarks, found.basis, found.clamped),
        found: Some(found),
    }
}
