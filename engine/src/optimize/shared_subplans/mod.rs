//! Aggregates that stand in a plan more than once: computed once, and read by all who need them.

mod exec;
mod kept;
mod rule;
mod runs;
mod same;
mod same_scan;

pub(crate) use rule::SharedSubplans;
