//! The one list of functions. Sessions, documentation, the CLI and the completeness tests read it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::planner::RelationPlanner;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

use crate::documentation::FunctionDoc;
use crate::pseudonym_key::PseudonymKey;
use crate::session_backend::SessionBackend;

/// How a function is plugged into a session.
#[derive(Debug, Clone)]
pub enum Implementation {
    /// A scalar function.
    Scalar(Arc<ScalarUDF>),
    /// An aggregate function.
    Aggregate(Arc<AggregateUDF>),
    /// A function in a FROM clause that is planned into other operators.
    Relation(Arc<dyn RelationPlanner>),
}

/// Where functions are registered: a session, or its state while it is being built.
pub trait FunctionHome: FunctionRegistry {
    /// Takes a function of a FROM clause.
    ///
    /// # Errors
    /// When it is refused.
    fn register_relation(&mut self, planner: Arc<dyn RelationPlanner>) -> Result<()>;
}

impl FunctionHome for SessionState {
    fn register_relation(&mut self, planner: Arc<dyn RelationPlanner>) -> Result<()> {
        self.register_relation_planner(planner)
    }
}

impl FunctionHome for SessionContext {
    fn register_relation(&mut self, planner: Arc<dyn RelationPlanner>) -> Result<()> {
        self.register_relation_planner(planner)
    }
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

/// Registers every function, `avg` in the place of DataFusion's, and what tells functions the backend of their session.
///
/// # Errors
/// When the registry refuses a function.
pub fn register_all(registry: &mut dyn FunctionHome) -> Result<()> {
    for entry in functions() {
        match entry.implementation {
            Implementation::Scalar(function) => {
                registry.register_udf(function)?;
            }
            Implementation::Aggregate(function) => {
                registry.register_udaf(function)?;
            }
            Implementation::Relation(planner) => registry.register_relation(planner)?,
        }
    }
    registry.register_udaf(crate::aggregate::avg())?;
    for spread in crate::aggregate::spreads() {
        registry.register_udaf(spread)?;
    }
    registry.register_function_rewrite(Arc::new(SessionBackend))
}

/// Gives `pseudonym` its key, in place of the one without that [`register_all`] registers.
///
/// # Errors
/// When the registry refuses it.
pub fn register_pseudonym(registry: &mut dyn FunctionHome, key: Arc<PseudonymKey>) -> Result<()> {
    registry.register_udf(Arc::new(crate::scalar::pseudonym(Some(key))))?;
    Ok(())
}
