//! The one list of functions. Sessions, documentation, the CLI and the completeness tests read it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::documentation::FunctionDoc;

/// How a function is plugged into a session.
#[derive(Debug, Clone)]
pub enum Implementation {
    /// A scalar function.
    Scalar(Arc<ScalarUDF>),
    /// An aggregate function.
    Aggregate(Arc<AggregateUDF>),
}

/// A function and its contract.
#[derive(Debug, Clone)]
pub struct FunctionEntry {
    /// The contract.
    pub doc: &'static FunctionDoc,
    /// The code.
    pub implementation: Implementation,
}

/// Every function, in the order of the documentation.
#[must_use]
pub fn functions() -> Vec<FunctionEntry> {
    let mut all = Vec::new();
    all.extend(crate::aggregate::entries());
    all.extend(crate::scalar::entries());
    all.extend(crate::table::entries());
    all
}

/// Registers every function.
///
/// # Errors
/// When the registry refuses a function.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for entry in functions() {
        match entry.implementation {
            Implementation::Scalar(function) => {
                registry.register_udf(function)?;
            }
            Implementation::Aggregate(function) => {
                registry.register_udaf(function)?;
            }
        }
    }
    Ok(())
}
