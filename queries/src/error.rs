//! What can be wrong with a call of a library query.

use crate::parameter::ParameterKind;

/// A library query was named or parametrised wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No query has this name.
    #[error("there is no library query {name:?}{}: `tithe query list` shows them all", did_you_mean(nearest))]
    UnknownQuery {
        /// As given.
        name: String,
        /// The most similar names, best first; may be empty.
        nearest: Vec<String>,
    },
    /// More than one domain has a query of this short name.
    #[error("the query name {name:?} is in several domains: say {}", listed(candidates))]
    AmbiguousQuery {
        /// As given.
        name: String,
        /// The full names.
        candidates: Vec<String>,
    },
    /// The query has no parameter of this name.
    #[error(
        "query {query} has no parameter {parameter:?}{}; it takes {}",
        did_you_mean(nearest),
        none_or_listed(known)
    )]
    UnknownParameter {
        /// Full name of the query.
        query: String,
        /// As given.
        parameter: String,
        /// The most similar parameters, best first; may be empty.
        nearest: Vec<String>,
        /// All the query's parameters.
        known: Vec<String>,
    },
    /// A parameter without a default was not given.
    #[error("query {query} needs the parameter {parameter} ({description}): give {kind}")]
    Missing {
        /// Full name of the query.
        query: String,
        /// The parameter.
        parameter: String,
        /// What it is for.
        description: String,
        /// What it takes.
        kind: ParameterKind,
    },
    /// A value is not of the parameter's type.
    #[error("query {query}, parameter {parameter}: {value:?} is not {kind}")]
    BadValue {
        /// Full name of the query.
        query: String,
        /// The parameter.
        parameter: String,
        /// As given.
        value: String,
        /// What it takes.
        kind: ParameterKind,
    },
    /// The query's own text cannot be split into tokens.
    #[error("query {query} is not SQL: {reason}")]
    Sql {
        /// Full name of the query.
        query: String,
        /// What the tokenizer says.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn none_or_listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!(" (nearest: {})", listed(nearest)) }
}
