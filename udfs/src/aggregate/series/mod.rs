//! What the aggregates of a series share: their constant arguments, the rows of a group, and the calendar that makes
//! equally spaced values of them. They know no model.

mod accumulator;
mod calendar;
mod constants;
mod equally_spaced;
mod evaluation;
mod frequency;
mod function;
mod groups_accumulator;
mod modelling;
mod observations;
mod parameter;
mod period;
mod received;
mod rows;
mod values;

pub(crate) use constants::Constants;
pub(crate) use equally_spaced::{Series, Unusable};
pub(crate) use function::{SeriesAggregate, SeriesFunction};
pub(crate) use modelling::{
    CALENDAR, DRIFT, GAPS, HORIZON, KnownSeries, MODEL, Modelling, RECEIVED, SEASON, forecast_status, status,
};
pub(crate) use observations::Observations;
pub(crate) use parameter::{Parameter, Takes};
pub(crate) use period::PeriodType;
pub(crate) use received::Received;
