//! What a job file says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result, did_you_mean};
use crate::job::duration::parse_duration;
use crate::memory_size::parse_memory_size;
use crate::plan::sql_literal;

/// Longest that a lease may be: a runner that is gone blocks the job for that long.
const LONGEST_LEASE: Duration = Duration::from_secs(3600);
/// Shortest that a lease may be: renewing it must be possible in a third of it.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

/// A batch job as its file describes it.
///
/// ```toml
/// name = "revenue-forecast"           # by default the file's name without its extension
/// sql = "SELECT … WHERE county_code = $county_code"   # or file = "forecast.sql", or library = "revenue/by_month"
///
/// [parameters]                        # each stands as $name in the query
/// horizon = 12
///
/// [partition]                         # without it, the job is one partition
/// table = "tax.revenue_monthly"
/// column = "county_code"              # one partition a value; or query = "SELECT …"; or files = 8
///
/// [output]
/// table = "analysis.revenue_forecast"
/// mode = "append"                     # or "overwrite-partition"
///
/// [run]
/// concurrency = 2                     # partitions at once
/// attempts = 3                        # how often a partition is tried
/// backoff = "1s"                      # before the second attempt, doubled for each further one
/// lease = "30s"                       # how long a runner that says nothing keeps others out
///
/// [limits]
/// memory = "2 GiB"                    # what the queries may hold
/// time = "10m"                        # how long an attempt may take
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDefinition {
    /// Its name, part of the names of its files.
    pub name: String,
    /// Where the query is.
    pub query: JobQuery,
    /// The parameters' values as SQL literals and as text.
    pub parameters: BTreeMap<String, JobParameter>,
    /// How the work is cut; `None` is one partition.
    pub partition: Option<PartitionRule>,
    /// The schema of the table that is written.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// What happens to files that are there.
    pub mode: OutputMode,
    /// Partitions at once.
    pub concurrency: usize,
    /// How often a partition is tried.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub backoff: Duration,
    /// How long a runner that says nothing keeps others out.
    pub lease: Duration,
    /// Bytes that the queries may hold; by default what the engine has.
    pub memory: Option<usize>,
    /// How long an attempt may take.
    pub time: Option<Duration>,
}

/// Where a job's query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobQuery {
    /// Here.
    Sql(String),
    /// In the library of queries, under this name.
    Library(String),
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobParameter {
    /// As text, for a library query.
    pub text: String,
    /// As an SQL literal of its type.
    pub literal: String,
}

/// How the work is cut into partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionRule {
    /// One for each value of a column.
    Column {
        /// `schema.table`.
        table: String,
        /// The column, and the name of the value in the query.
        column: String,
    },
    /// One for each row of an answer, whose columns name the values in the query.
    Query {
        /// The SQL.
        sql: String,
    },
    /// One for each of so many groups of a table's files.
    Files {
        /// `schema.table`.
        table: String,
        /// How many groups at most.
        groups: usize,
    },
}

/// What happens to files that are in the output's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputMode {
    /// The job's files are put beside them.
    Append,
    /// The job's file takes the place of the one in its partition.
    OverwritePartition,
}

impl JobDefinition {
    /// The job that the file at `path` describes.
    ///
    /// # Errors
    /// When the file cannot be read or says something that is not understood.
    pub fn load(path: &Path) -> Result<Self> {
        let refuse =
            |reason: String| EngineError::Configuration { origin: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let parsed: File = toml::from_str(&text).map_err(|error| refuse(one_sentence(&error, &text)))?;
        parsed.check(path).map_err(refuse)
    }

    /// `schema.table` of the output.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

fn one_sentence(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.lines().count().max(1)),
        None => message,
    }
}

type Unknown = BTreeMap<String, toml::Value>;

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    sql: Option<String>,
    file: Option<PathBuf>,
    library: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Value>,
    partition: Option<Partition>,
    output: Option<Output>,
    #[serde(default)]
    run: Run,
    #[serde(default)]
    limits: Limits,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
struct Partition {
    table: Option<String>,
    column: Option<String>,
    query: Option<String>,
    files: Option<usize>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
struct Output {
    table: Option<String>,
    mode: Option<String>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize, Default)]
struct Run {
    concurrency: Option<usize>,
    attempts: Option<u32>,
    backoff: Option<String>,
    lease: Option<String>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize, Default)]
struct Limits {
    memory: Option<String>,
    time: Option<String>,
    #[serde(flatten)]
    unknown: Unknown,
}

const KEYS: [&str; 9] =
    ["name", "sql", "file", "library", "parameters", "partition", "output", "run", "limits"];

impl File {
    fn check(self, path: &Path) -> std::result::Result<JobDefinition, String> {
        refuse_unknown("", &self.unknown, &KEYS)?;
        refuse_unknown("run.", &self.run.unknown, &["concurrency", "attempts", "backoff", "lease"])?;
        refuse_unknown("limits.", &self.limits.unknown, &["memory", "time"])?;
        let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let name = self.name.unwrap_or_else(stem);
        check_name(&name)?;
        let query = match (self.sql, self.file, self.library) {
            (Some(sql), None, None) => JobQuery::Sql(sql),
            (None, Some(file), None) => {
                let file = path.parent().map_or_else(|| file.clone(), |folder| folder.join(&file));
                let sql = std::fs::read_to_string(&file)
                    .map_err(|error| format!("file: cannot read {}: {error}", file.display()))?;
                JobQuery::Sql(sql)
            }
            (None, None, Some(library)) => JobQuery::Library(library),
            _ => {
                return Err("it needs one query: give exactly one of sql, file and library".to_owned());
            }
        };
        let parameters =
            self.parameters.iter().map(|(name, value)| Ok((name.clone(), parameter(name, value)?)));
        let parameters = parameters.collect::<std::result::Result<BTreeMap<_, _>, String>>()?;
        let output = self
            .output
            .ok_or("it has no [output]: say which table it writes, as table = \"analysis.forecast\"")?;
        refuse_unknown("output.", &output.unknown, &["table", "mode"])?;
        let table =
            output.table.ok_or("output.table is missing: name the table, as \"analysis.forecast\"")?;
        let (schema, table) = schema_and_table("output.table", &table)?;
        let duration = |key: &str, text: Option<String>| {
            text.map(|text| parse_duration(&text).map_err(|reason| format!("{key}: {reason}"))).transpose()
        };
        let lease = duration("run.lease", self.run.lease)?.unwrap_or(Duration::from_secs(30));
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease) {
            return Err("run.lease is out of range: take from 2s to 1h".to_owned());
        }
        let definition = JobDefinition {
            name,
            query,
            parameters,
            partition: self.partition.map(Partition::check).transpose()?,
            schema,
            table,
            mode: mode(output.mode.as_deref())?,
            concurrency: self.run.concurrency.unwrap_or_else(cores),
            attempts: self.run.attempts.unwrap_or(3),
            backoff: duration("run.backoff", self.run.backoff)?.unwrap_or(Duration::from_secs(1)),
            lease,
            memory: self
                .limits
                .memory
                .map(|text| parse_memory_size(&text).map_err(|reason| format!("limits.memory: {reason}")))
                .transpose()?,
            time: duration("limits.time", self.limits.time)?,
        };
        if definition.concurrency == 0 || definition.attempts == 0 {
            return Err("run.concurrency and run.attempts are at least 1".to_owned());
        }
        Ok(definition)
    }
}

impl Partition {
    fn check(self) -> std::result::Result<PartitionRule, String> {
        refuse_unknown("partition.", &self.unknown, &["table", "column", "query", "files"])?;
        match self {
            Self { table: Some(table), column: Some(column), query: None, files: None, .. } => {
                schema_and_table("partition.table", &table)?;
                Ok(PartitionRule::Column { table, column })
            }
            Self { table: None, column: None, query: Some(sql), files: None, .. } => {
                Ok(PartitionRule::Query { sql })
            }
            Self { table: Some(table), column: None, query: None, files: Some(groups), .. } if groups > 0 => {
                schema_and_table("partition.table", &table)?;
                Ok(PartitionRule::Files { table, groups })
            }
            _ => Err(
                "[partition] takes a table with a column, a query alone, or a table with a number of files \
                      (groups): give one of the three"
                    .to_owned(),
            ),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn mode(text: Option<&str>) -> std::result::Result<OutputMode, String> {
    match text {
        Some("append") => Ok(OutputMode::Append),
        Some("overwrite-partition") => Ok(OutputMode::OverwritePartition),
        Some(other) => {
            let hint = did_you_mean(
                other,
                ["append", "overwrite-partition"],
                "; take append or overwrite-partition",
            );
            Err(format!("output.mode: {other:?} is no mode{hint}"))
        }
        None => Err("output.mode is missing: say \"append\" to put files beside those that are there, or \
                     \"overwrite-partition\" to replace them"
            .to_owned()),
    }
}

/// A name that can be part of a file's name everywhere.
fn check_name(name: &str) -> std::result::Result<(), String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || name.len() > 80 || !name.chars().all(plain) || name.starts_with('_') {
        return Err(format!(
            "name: {name:?} cannot be a job's name: take up to 80 ASCII letters, digits, - and _, the first no _"
        ));
    }
    Ok(())
}

fn schema_and_table(key: &str, text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() && !table.contains('.') => {
            Ok((schema.to_owned(), table.to_owned()))
        }
        _ => Err(format!("{key}: {text:?} is no table: write schema.table")),
    }
}

fn parameter(name: &str, value: &toml::Value) -> std::result::Result<JobParameter, String> {
    let refuse = |what: &str| {
        format!("parameters.{name} is {what}: give a text, whole number, number, date or true or false")
    };
    let (text, literal) = match value {
        toml::Value::String(text) => (text.clone(), sql_literal::text(text)),
        toml::Value::Integer(number) => (number.to_string(), sql_literal::integer(*number)),
        toml::Value::Float(number) if number.is_finite() => {
            (number.to_string(), format!("CAST('{number:e}' AS DOUBLE)"))
        }
        toml::Value::Float(_) => return Err(refuse("not a finite number")),
        toml::Value::Boolean(yes) => (yes.to_string(), yes.to_string().to_uppercase()),
        toml::Value::Datetime(moment) => match (moment.date, moment.time) {
            (Some(date), None) => (date.to_string(), format!("DATE '{date}'")),
            _ => return Err(refuse("a time")),
        },
        toml::Value::Array(_) => return Err(refuse("a list")),
        toml::Value::Table(_) => return Err(refuse("a table")),
    };
    Ok(JobParameter { text, literal })
}

fn refuse_unknown(section: &str, unknown: &Unknown, known: &[&str]) -> std::result::Result<(), String> {
    let Some(key) = unknown.keys().next() else { return Ok(()) };
    let hint = did_you_mean(key, known.iter().copied(), &format!("; known keys are {}", known.join(", ")));
    Err(format!("unknown key {section}{key}{hint}"))
}
