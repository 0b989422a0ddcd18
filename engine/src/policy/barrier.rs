//! The border between what the policy permits and what a query asks: nothing that can fail on a row, or be told how
//! many rows there were, is moved below it.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::policy::file::MinimumGroup;

/// What the policy permits of one table to one principal; its input filters and masks.
#[derive(Debug, Clone)]
pub(crate) struct Barrier {
    pub(crate) input: LogicalPlan,
    /// `schema.table`.
    pub(crate) table: String,
    pub(crate) user: String,
    /// The version of the policy that made it.
    pub(crate) version: String,
    /// Columns that are not what is stored: a condition on them says nothing about the files.
    pub(crate) masked: BTreeSet<String>,
    /// Where its rows may only be seen in groups.
    pub(crate) minimum_group: Option<MinimumGroup>,
}

impl Barrier {
    fn key(&self) -> (&str, &str, &str) {
        (&self.table, &self.user, &self.version)
    }
}

impl PartialEq for Barrier {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && self.input == other.input
    }
}

impl Eq for Barrier {}

impl PartialOrd for Barrier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.key().cmp(&other.key()) {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            different => Some(different),
        }
    }
}

impl Hash for Barrier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Barrier {
    fn name(&self) -> &str {
        "Permitted"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permitted: {}", self.table)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (exprs.is_empty(), inputs.pop(), inputs.is_empty()) {
            (true, Some(input), true) => Ok(Self { input, ..self.clone() }),
            _ => internal_err!("a border of the policy has one input and no expressions"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}
