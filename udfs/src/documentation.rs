//! What every function says of itself. Printed by `tithe functions`, rendered to `docs/functions.md`,
//! and tested: every example runs and must give the result written here.

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
    /// Heading it stands under: `Forecasting`, `Income`, `Unstructured text`, `Tax domain`.
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
