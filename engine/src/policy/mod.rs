//! Who may see which rows and columns; applied between planning and execution.

mod apply;
mod audit;
mod reads;

pub(crate) use apply::{Policy, apply};
pub(crate) use audit::{Audit, Outcome};
pub(crate) use reads::columns_read;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Name, as authenticated or as the operating system gives it.
    pub name: String,
}

impl Principal {
    /// The person at this machine, on their own lake.
    #[must_use]
    pub fn local() -> Self {
        Self { name: "local".to_owned() }
    }
}
