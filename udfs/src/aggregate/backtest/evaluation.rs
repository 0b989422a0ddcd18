//! From the rows of a group to the errors of its past forecasts.

use datafusion::common::Result;
use tithe_compute::forecast::{Backtest, Forecaster, backtest_by};

use super::Options;
use crate::aggregate::series::{KnownSeries, Observations, PeriodType, status};

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

/// The series of a group, or what there is to say without one.
///
/// # Errors
/// When periods are missing and the caller asked for an error.
pub(super) fn known(
    group: &Observations,
    options: &Options,
    period: &PeriodType,
) -> Result<Result<KnownSeries, GroupBacktest>> {
    let known = options.modelling.series("backtest", group, period)?;
    Ok(known.map_err(|unusable| without(unusable.status)))
}

fn without(status: String) -> GroupBacktest {
    GroupBacktest { found: None, worst_fold: None, status }
}

/// The backtest of a series.
pub(super) fn answer(
    known: &KnownSeries,
    options: &Options,
    period: &PeriodType,
    forecaster: &mut dyn Forecaster,
) -> GroupBacktest {
    let outcome = backtest_by(&known.request(&options.modelling), options.folds, forecaster);
    let mut remarks = known.remarks.clone();
    match outcome {
        Ok(Some(found)) => {
            if found.folds < options.folds {
                remarks.push(format!("fewer_folds:{}", found.folds));
            }
            let back = i64::try_from(known.series.values.len() - 1 - found.worst_fold).ok();
            let worst_fold = back.and_then(|back| known.series.timeline.at(-back, period));
            GroupBacktest { found: Some(found), worst_fold, status: status(&remarks) }
        }
        Ok(None) => {
            remarks.push("too_short".to_owned());
            without(status(&remarks))
        }
        Err(_not_finite) => without("non_finite".to_owned()),
    }
}
