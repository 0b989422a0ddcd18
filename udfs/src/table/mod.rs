//! The table functions, one file each.

use crate::registry::FunctionEntry;

/// Every table function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    Vec::new()
}
