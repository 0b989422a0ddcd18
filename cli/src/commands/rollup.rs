//! `tithe rollup`: aggregates that are kept beside a table, and from which queries are answered.

use std::io::Write;

use clap::{Args, Subcommand};
use indicatif::{HumanBytes, HumanCount};
use tithe_engine::{ErrorKind, RollupInfo, RollupProgress, RollupReport, TableFormat};
use tokio::runtime::Runtime;

use super::policy::schema_and_table;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::{LakeArguments, Opened};
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe rollup create by_month \"SELECT seller_county_code, date_trunc('month', invoice_date), count(*), sum(total_amount)
      FROM invoice.header GROUP BY 1, 2\"
  tithe rollup refresh                           every night, or after files were added or replaced: all rollups
  tithe rollup list invoice.header
  tithe rollup drop invoice.header by_month

Queries need not name a rollup: whatever asks for no more than its keys and aggregates is answered from it, and files that it
does not count for yet are read themselves. EXPLAIN shows which was used. What it can answer: docs/rollups.md.";

const NONE: &str = "there are no rollups: create one with `tithe rollup create`";

/// Options of `tithe rollup`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep what a statement asks of a table: SELECT keys, aggregates FROM schema.table GROUP BY keys
    Create {
        /// What it is called
        name: String,

        /// The statement
        sql: String,

        #[command(flatten)]
        lake: LakeArguments,
    },
    /// Make the aggregates of files that are new or changed
    Refresh {
        /// The table, as SCHEMA.TABLE [default: all of them]
        table: Option<String>,

        /// One of its rollups [default: all of them]
        name: Option<String>,

        #[command(flatten)]
        lake: LakeArguments,
    },
    /// Show the rollups of a table, or of all tables
    List {
        /// The table, as SCHEMA.TABLE [default: all of them]
        table: Option<String>,

        #[command(flatten)]
        lake: LakeArguments,
    },
    /// Remove a rollup; its table stays as it is
    Drop {
        /// The table, as SCHEMA.TABLE
        table: String,

        /// The rollup
        name: String,

        #[command(flatten)]
        lake: LakeArguments,
    },
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        runtime.block_on(or_interrupt(self.command.run()))
    }
}

impl Command {
    async fn run(&self) -> Result<()> {
        let text = match self {
            Self::Create { name, sql, lake } => create(&opened(lake, true).await?, name, sql).await?,
            Self::Refresh { table, name, lake } => {
                let table = table.as_deref().map(schema_and_table).transpose().map_err(Failure::usage)?;
                refresh(&opened(lake, true).await?, table, name.as_deref()).await?
            }
            Self::List { table, lake } => {
                let table = table.as_deref().map(schema_and_table).transpose().map_err(Failure::usage)?;
                list(&opened(lake, false).await?, table).await?
            }
            Self::Drop { table, name, lake } => {
                let (schema, table) = schema_and_table(table).map_err(Failure::usage)?;
                let opened = opened(lake, true).await?;
                let dropped = opened.session.drop_rollup(schema, table, name).await;
                dropped.map_err(|error| Failure::of_opening(&error))?;
                format!("{schema}.{table}: the rollup {name} is gone")
            }
        };
        let mut destination = Destination::stdout();
        writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
        destination.commit()
    }
}

async fn opened(lake: &LakeArguments, changes: bool) -> Result<Opened> {
    let opened = lake.open().await?;
    if opened.location.is_none() {
        return Err(Failure::usage("there is no lake with tables: name one with --lake"));
    }
    if changes && opened.engine.has_policy() && lake.as_user.is_none() {
        return Err(Failure::usage(
            "under a policy rollups are kept by somebody: say --as USER, who needs OWNERSHIP of the table, or INSERT and \
             DELETE on it",
        ));
    }
    Ok(opened)
}

async fn create(opened: &Opened, name: &str, sql: &str) -> Result<String> {
    let created = opened.session.create_rollup(name, sql).await;
    let (schema, table) = created.map_err(|error| Failure::of_opening(&error))?;
    refresh(opened, Some((&schema, &table)), Some(name)).await
}

async fn refresh(opened: &Opened, table: Option<(&str, &str)>, name: Option<&str>) -> Result<String> {
    let found = match (table, name) {
        (Some((schema, table)), Some(name)) => vec![(schema.to_owned(), table.to_owned(), name.to_owned())],
        (table, _) => {
            let all = rollups(opened, table).await?;
            all.into_iter().map(|rollup| (rollup.schema, rollup.table, rollup.name)).collect()
        }
    };
    if found.is_empty() {
        return Ok(NONE.to_owned());
    }
    let mut rows = Vec::with_capacity(found.len());
    for (schema, table, name) in found {
        let done = opened.session.refresh_rollup(&schema, &table, &name, &Progress).await;
        let done = done.map_err(|error| Failure::of_opening(&error))?;
        rows.push(refreshed(&format!("{schema}.{table}"), &name, &done));
    }
    Ok(listing(["table", "rollup", ">files read", ">there before", ">rows", ">bytes"], rows))
}

fn refreshed(table: &str, name: &str, report: &RollupReport) -> [String; 6] {
    [
        table.to_owned(),
        name.to_owned(),
        count(report.files),
        count(report.there),
        HumanCount(report.rows).to_string(),
        HumanBytes(report.bytes).to_string(),
    ]
}

/// Those of a table; or of all tables those that the user may keep.
async fn rollups(opened: &Opened, table: Option<(&str, &str)>) -> Result<Vec<RollupInfo>> {
    let tables = match table {
        Some((schema, table)) => vec![(schema.to_owned(), table.to_owned())],
        None => {
            let all = opened.session.tables().await.map_err(|error| Failure::of_opening(&error))?;
            let parquet = all.into_iter().filter(|info| info.format == TableFormat::Parquet);
            parquet.map(|info| (info.schema, info.table)).collect()
        }
    };
    let mut found = Vec::new();
    for (schema, name) in tables {
        match opened.session.rollups(&schema, &name).await {
            Ok(rollups) => found.extend(rollups),
            Err(error) if table.is_none() && error.kind() == ErrorKind::NotAllowed => {}
            Err(error) => return Err(Failure::of_opening(&error)),
        }
    }
    Ok(found)
}

async fn list(opened: &Opened, table: Option<(&str, &str)>) -> Result<String> {
    let rows: Vec<[String; 8]> = rollups(opened, table).await?.iter().map(listed).collect();
    if rows.is_empty() {
        return Ok(NONE.to_owned());
    }
    Ok(listing(["table", "rollup", "keys", "measures", ">rows", ">bytes", ">files", ">left to read"], rows))
}

fn listed(rollup: &RollupInfo) -> [String; 8] {
    let table = format!("{}.{}", rollup.schema, rollup.table);
    match &rollup.state {
        Ok(state) => [
            table,
            rollup.name.clone(),
            state.keys.join(", "),
            state.measures.join(", "),
            HumanCount(state.rows).to_string(),
            HumanBytes(state.bytes).to_string(),
            count(state.files),
            count(state.files_left),
        ],
        Err(reason) => {
            let none = String::new();
            let said = format!("answers no queries: {reason}");
            [table, rollup.name.clone(), said, none.clone(), none.clone(), none.clone(), none.clone(), none]
        }
    }
}

fn count(number: usize) -> String {
    HumanCount(u64::try_from(number).unwrap_or(u64::MAX)).to_string()
}

/// Lines on standard error.
struct Progress;

impl RollupProgress for Progress {
    fn begins(&self, folders: usize, files: usize) {
        if folders > 1 {
            eprintln!("{} files in {} folders", count(files), count(folders));
        }
    }

    fn done(&self, folder: &str, rows: u64) {
        if !folder.is_empty() {
            eprintln!("{folder}: {} rows", HumanCount(rows));
        }
    }
}
