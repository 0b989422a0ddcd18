//! From the rows of a group to the errors of its past forecasts.

use datafusion::common::Result;
use tithe_compute::forecast::{Backtest, backtest};

use super::Options;
use crate::aggregate::series::{Observations, PeriodType, status};

/// The errors of a group's past forecasts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupBacktest {
    /// `None` where there was nothing to forecast.
    pub(super) found: Option<Backtest>,
    /// First period forecast of the worst fold.
    pub(super) worst_fold: Option<i64>,
    /// `ok`, or what a reader must know, separated by semicolons.
    pub(super) status: String,
}

/// The backtest of a group; `None` if it has no rows.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn evaluate(
    group: &Observations,
    options: &Options,
    period: &PeriodType,
) -> Result<Option<GroupBacktest>> {
    if !group.seen {
        return Ok(None);
    }
    let without = |status: String| Ok(Some(GroupBacktest { found: None, worst_fold: None, status }));
    let modelling = &options.modelling;
    let known = match modelling.series("backtest", group, period)? {
        Ok(known) => known,
        Err(unusable) => return without(unusable.status),
    };
    let (values, season) = (&known.series.values, known.series.season);
    let outcome =
        backtest(values, season, modelling.horizon, options.folds, modelling.model, &known.adjustments());
    let mut remarks = known.remarks;
    match outcome {
        Ok(Some(found)) => {
            if found.folds < options.folds {
                remarks.push(format!("fewer_folds:{}", found.folds));
            }
            let back = i64::try_from(values.len() - 1 - found.worst_fold).ok();
            let worst_fold = back.and_then(|back| known.series.timeline.at(-back, period));
            Ok(Some(GroupBacktest { found: Some(found), worst_fold, status: status(&remarks) }))
        }
        Ok(None) => {
            remarks.push("too_short".to_owned());
            without(status(&remarks))
        }
        Err(_not_finite) => without("non_finite".to_owned()),
    }
}
