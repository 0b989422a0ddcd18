//! The engine's errors: one sentence each, with what, where and what to do.

mod kind;
mod mismatched_types;
mod nearest;
mod plain;

use datafusion::error::DataFusionError;

pub use kind::ErrorKind;
pub(crate) use nearest::{did_you_mean, nearest};
pub(crate) use plain::{innermost, plain};

use crate::options::LimitName;

/// Result with [`EngineError`].
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The lake does not exist.
    #[error(
        "the lake {location} does not exist: create it with `tithe gen --out {location}`, or name another with --lake"
    )]
    LakeNotFound {
        /// As the user gave it.
        location: String,
    },
    /// The lake's location cannot be understood or is not supported.
    #[error("cannot use {location:?} as a lake: {reason}")]
    LakeLocation {
        /// As the user gave it.
        location: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The store that holds the lake does not answer.
    #[error("cannot reach {location}: {reason}")]
    Connection {
        /// The lake or endpoint.
        location: String,
        /// What the store or the network says, and what to check.
        reason: String,
    },
    /// Not exactly one statement.
    #[error("expected one SQL statement, found {found}")]
    StatementCount {
        /// How many there were.
        found: usize,
    },
    /// An expression that is too deep to be planned.
    #[error(
        "the statement has more than {most} operators in a row: write long lists as IN (…), or join a table of the values"
    )]
    TooDeep {
        /// How many there may be.
        most: usize,
    },
    /// A query that asks for more than it may.
    #[error("{} than {name} allows ({most}): {}", name.subject(), name.remedy())]
    Limit {
        /// Which limit.
        name: LimitName,
        /// Its value.
        most: u64,
    },
    /// The text is not SQL.
    #[error("syntax error at line {line}, column {column}: {reason}\n{excerpt}")]
    Syntax {
        /// 1-based line of the text.
        line: usize,
        /// 1-based column in characters.
        column: usize,
        /// What was expected and found.
        reason: String,
        /// The offending line and a caret under the place.
        excerpt: String,
    },
    /// A table, column, function or setting that nobody knows.
    #[error("{what} {name} does not exist{hint}")]
    Unknown {
        /// `table`, `column`, `function`, …
        what: &'static str,
        /// As the user wrote it.
        name: String,
        /// Empty, or the nearest known name, beginning with `; `.
        hint: String,
    },
    /// A folder of the lake that cannot be understood as a table.
    #[error("table {table} cannot be read: {reason}")]
    Table {
        /// `schema.table`.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A table that cannot be written.
    #[error("table {table} cannot be written: {reason}")]
    Write {
        /// `schema.table`.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A job that cannot run, or go on.
    #[error("job {job}: {reason}")]
    Job {
        /// Its name.
        job: String,
        /// What a caller does about it.
        kind: ErrorKind,
        /// Why, and what to do.
        reason: String,
    },
    /// A file whose content is broken.
    #[error("the file {path} cannot be read: {reason}")]
    File {
        /// Path below the lake's root.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a JSON lines file that is not a JSON object, or does not fit its column.
    #[error(
        "line {line} of {path} {reason}: mend the line, or skip and count such lines with `SET tithe.json.skip_bad_lines = true`"
    )]
    Line {
        /// Path below the lake's root.
        path: String,
        /// 1-based.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A query that nobody could account for.
    #[error(
        "the audit record cannot be written ({reason}), and without it nothing is answered: tell the operator"
    )]
    Audit {
        /// What the operating system says.
        reason: String,
    },
    /// A table that is there and should not be.
    #[error("the table {table} exists already: take another name, add rows to it, or replace it")]
    Exists {
        /// `schema.table`.
        table: String,
    },
    /// Rows that a table cannot take.
    #[error("the rows do not fit the table {table}: {reason}")]
    Rows {
        /// `schema.table`.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// What was planned is no longer there as it was.
    #[error("{what} changed since the statement was planned: run it again, or prepare it anew")]
    Stale {
        /// `the policy`, a table or a file.
        what: String,
    },
    /// Parameters without a value, in places that do not tell their type.
    #[error(
        "the statement does not tell the type of a parameter: bind a value, or write it, as in CAST($1 AS BIGINT)"
    )]
    OpenParameters {
        /// How many parameters the statement has.
        count: usize,
    },
    /// The session only reads.
    #[error("{what} is not allowed: this session is read only")]
    ReadOnly {
        /// The kind of statement.
        what: String,
    },
    /// The principal may not do this.
    #[error("{what} is not allowed: {reason}")]
    NotAllowed {
        /// The kind of statement or the thing asked for.
        what: String,
        /// Why, and what to do instead.
        reason: String,
    },
    /// `tithe.toml`, an environment variable or a setting is wrong.
    #[error("{origin}: {reason}")]
    Configuration {
        /// The file, variable or setting.
        origin: String,
        /// What is wrong and what it takes.
        reason: String,
    },
    /// A worker died or fell silent, and the query could not be run again.
    #[error("{workers} {when} ({reason}): the answer is not complete, run the query again")]
    WorkerLost {
        /// Which were lost, as far as that is known.
        workers: String,
        /// After what.
        when: &'static str,
        /// What the connection said.
        reason: String,
    },
    /// Tithe itself is at fault.
    #[error("a defect of Tithe ended the query ({reason}): please report it with the statement")]
    Defect {
        /// What the code said of itself.
        reason: String,
    },
    /// Everything DataFusion reports, without its prefixes.
    #[error("{}", plain(.0))]
    DataFusion(DataFusionError),
}

impl EngineError {
    /// An error of the job called `job`.
    pub(crate) fn job(job: &str, kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self::Job { job: job.to_owned(), kind, reason: reason.into() }
    }

    /// What a caller does about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        kind::of(self)
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(source) => match source.downcast::<Self>() {
                Ok(engine) => *engine,
                Err(other) => Self::DataFusion(DataFusionError::External(other)),
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::from(*inner),
            other => Self::DataFusion(mismatched_types::as_mistake(other)),
        }
    }
}

impl From<EngineError> for DataFusionError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::DataFusion(inner) => inner,
            other => Self::External(Box::new(other)),
        }
    }
}

impl From<object_store::Error> for EngineError {
    fn from(error: object_store::Error) -> Self {
        Self::DataFusion(DataFusionError::ObjectStore(Box::new(error)))
    }
}
