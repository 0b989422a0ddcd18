//! The scalar functions, one file each.

mod influencer_income;

use crate::registry::FunctionEntry;

/// Every scalar function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    vec![influencer_income::entry()]
}
