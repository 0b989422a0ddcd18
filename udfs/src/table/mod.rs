//! The table functions, one file each.

mod ai_forecast;

use std::sync::Arc;

use crate::registry::{FunctionEntry, Implementation};

pub(crate) use ai_forecast::spell_out_table;

/// Every table function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    vec![FunctionEntry {
        doc: &ai_forecast::AI_FORECAST,
        implementation: Implementation::Relation(Arc::new(ai_forecast::AiForecast)),
    }]
}
