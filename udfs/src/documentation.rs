//! What every function says of itself. Printed by `tithe functions`, rendered to `docs/functions.md`,
//! and tested: every example runs and must give the result written here.

mod markdown;

use datafusion::logical_expr::{DocSection, Documentation};

pub use markdown::render_markdown;

/// The headings of the function reference, in their order.
pub const SECTIONS: [&str; 6] =
    ["Forecasting", "Income", "Unstructured text", "Privacy", "Tax domain", "Counting"];

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One value a row.
    Scalar,
    /// One value a group.
    Aggregate,
    /// Rows, in a FROM clause.
    Table,
}

/// One argument, in call order.
#[derive(Debug, Clone, Copy)]
pub struct ArgumentDoc {
    /// The name, usable as `name => value` where the function takes named arguments.
    pub name: &'static str,
    /// SQL types taken.
    pub sql_type: &'static str,
    /// Meaning, unit, default.
    pub description: &'static str,
}

/// A query that runs anywhere (it reads no table) and the table it prints.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// One SELECT statement.
    pub sql: &'static str,
    /// The result as Arrow's pretty printer writes it, leading and trailing blank space aside.
    pub result: &'static str,
}

/// The contract of one function.
#[derive(Debug, Clone, Copy)]
pub struct FunctionDoc {
    /// SQL name, lower snake case.
    pub name: &'static str,
    /// How it is called.
    pub kind: FunctionKind,
    /// Heading it stands under: `Forecasting`, `Income`, `Unstructured text`, `Privacy`, `Tax domain`, `Counting`.
    pub section: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The whole contract in a few sentences.
    pub description: &'static str,
    /// Call syntax.
    pub syntax: &'static str,
    /// Arguments in order.
    pub arguments: &'static [ArgumentDoc],
    /// Type, shape and units of the result.
    pub returns: &'static str,
    /// What NULL in gives.
    pub nulls: &'static str,
    /// Plan-time errors, and what bad data in a row gives.
    pub errors: &'static str,
    /// Where the rule or formula comes from.
    pub source: &'static str,
    /// At least one.
    pub examples: &'static [Example],
}

impl FunctionDoc {
    /// Whether a call may leave the argument out: the syntax has it in brackets.
    #[must_use]
    pub fn is_optional(&self, argument: &str) -> bool {
        self.syntax.contains(&format!("[, {argument} =>"))
    }

    /// The same contract in DataFusion's form, which `SHOW FUNCTIONS` reads.
    #[must_use]
    pub fn to_datafusion(&self) -> Documentation {
        let section = DocSection { include: true, label: self.section, description: None };
        let mut builder = Documentation::builder(section, self.summary, self.syntax);
        for argument in self.arguments {
            builder = builder.with_argument(argument.name, argument.description);
        }
        if let Some(example) = self.examples.first() {
            builder = builder.with_sql_example(example.sql);
        }
        builder.build()
    }
}
