//! The aggregate functions, one file each, and what they share: [`series`].

mod forecast;
mod series;

use crate::registry::{FunctionEntry, Implementation};
use series::SeriesAggregate;

/// Every aggregate function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    vec![FunctionEntry {
        doc: &forecast::FORECAST,
        implementation: Implementation::Aggregate(SeriesAggregate::<forecast::Forecast>::create()),
    }]
}
