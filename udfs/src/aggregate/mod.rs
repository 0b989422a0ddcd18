//! The aggregate functions, one file each.

mod forecast;

use crate::registry::{FunctionEntry, Implementation};

/// Every aggregate function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    vec![FunctionEntry {
        doc: &forecast::FORECAST,
        implementation: Implementation::Aggregate(forecast::forecast()),
    }]
}
