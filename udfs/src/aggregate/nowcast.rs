//! `nowcast(period, value, received [, model, season, gaps, calendar, drift])`: the running period of every group's
//! series, from the complete ones and what was received of it so far.

mod document;
mod evaluation;
mod output;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::forecast::{Forecaster, Request};

pub(crate) use document::NOWCAST;

use super::series::{
    CALENDAR, Constants, DRIFT, GAPS, MODEL, Modelling, Observations, Parameter, PeriodType, RECEIVED,
    SEASON, SeriesFunction,
};
use evaluation::{GroupNowcast, KnownReceipts};

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NowcastFunction;

impl SeriesFunction for NowcastFunction {
    const NAME: &'static str = "nowcast";
    const PARAMETERS: &'static [Parameter] = &[RECEIVED, MODEL, SEASON, GAPS, CALENDAR, DRIFT];
    type Options = Modelling;
    type Known = KnownReceipts;
    type Answer = GroupNowcast;

    fn options(constants: &Constants) -> Result<Modelling> {
        Modelling::new(constants)
    }

    fn result_type(period: &DataType) -> DataType {
        output::result_type(period)
    }

    fn known(
        group: &Observations,
        options: &Modelling,
        period: &PeriodType,
    ) -> Result<Result<KnownReceipts, GroupNowcast>> {
        evaluation::known(group, options, period)
    }

    fn requests<'a>(known: &'a KnownReceipts, options: &Modelling) -> Vec<Request<'a>> {
        evaluation::requests(known, options)
    }

    fn answer(
        known: &KnownReceipts,
        options: &Modelling,
        period: &PeriodType,
        forecaster: &mut dyn Forecaster,
    ) -> GroupNowcast {
        evaluation::answer(known, options, period, forecaster)
    }

    fn to_array(answers: &[Option<GroupNowcast>], period: &PeriodType) -> Result<ArrayRef> {
        output::to_structs(answers, period)
    }
}
