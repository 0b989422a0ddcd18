//! Aggregates that stand in a plan more than once: computed once, and read by all who need them.

mod aggregate_places;
mod exec;
mod kept;
mod places;
mod rule;
mod runs;
mod scan_places;

pub(crate) use rule::SharedSubplans;
