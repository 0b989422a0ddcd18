//! `tithe scan`: which columns seem to hold personal data, for whoever writes the policy.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::json;
use tithe_engine::{ErrorKind, Session, TableScan};
use tokio::runtime::Runtime;

use super::policy::schema_and_table;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::LakeArguments;
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe scan --lake lake                               every table
  tithe scan tax.taxpayer third_party.page_raw         these
  tithe scan --format json                             the section \"tags\" of a policy

It looks for forms (check digits, addresses, surnames) in the first rows. It is a proposal: read it, and add what it cannot
know. What a tag does: docs/policy.md.";

/// Options of `tithe scan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Tables as SCHEMA.TABLE [default: all of the lake]
    tables: Vec<String>,

    /// Rows of each table to look at
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,

    /// How to tell it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    lake: LakeArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading
    Table,
    /// The section "tags" of a policy file
    Json,
}

struct Scanned {
    schema: String,
    table: String,
    scan: TableScan,
}

impl Arguments {
    pub(crate) fn run(mut self, runtime: &Runtime) -> Result<()> {
        // Which rows come first must not depend on which thread was faster.
        self.lake.threads = Some(1);
        runtime.block_on(or_interrupt(self.scan()))
    }

    async fn scan(&self) -> Result<()> {
        let opened = self.lake.open().await?;
        if opened.location.is_none() {
            return Err(Failure::usage("there is no lake to look at: name one with --lake"));
        }
        let mut scanned = Vec::new();
        let mut unreadable = Vec::new();
        let mut all_refused = true;
        for (schema, table) in self.tables(&opened.session).await? {
            match opened.session.scan(&schema, &table, self.rows).await {
                Ok(scan) => scanned.push(Scanned { schema, table, scan }),
                Err(error) => {
                    all_refused &= error.kind() == ErrorKind::NotAllowed;
                    unreadable.push(format!("{schema}.{table} is not looked at: {error}"));
                }
            }
        }
        let mut destination = Destination::stdout();
        let text = match self.format {
            Format::Table => as_table(&scanned),
            Format::Json => as_policy(&scanned),
        };
        writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
        destination.commit()?;
        for Scanned { schema, table, scan } in &scanned {
            for place in &scan.not_looked_into {
                eprintln!(
                    "{schema}.{table}: {place} is nested too deeply to be looked into; it may hold anything"
                );
            }
        }
        match unreadable.as_slice() {
            [] => Ok(()),
            tables if all_refused => Err(Failure::NotAllowed(tables.join("\n"))),
            tables => Err(Failure::failed(tables.join("\n"))),
        }
    }

    async fn tables(&self, session: &Session) -> Result<Vec<(String, String)>> {
        if self.tables.is_empty() {
            let tables = session.tables().await.map_err(|error| Failure::of_opening(&error))?;
            return Ok(tables.into_iter().map(|table| (table.schema, table.table)).collect());
        }
        let named = self.tables.iter().map(|table| schema_and_table(table).map_err(Failure::usage));
        named.map(|both| both.map(|(schema, table)| (schema.to_owned(), table.to_owned()))).collect()
    }
}

fn as_table(scanned: &[Scanned]) -> String {
    let rows = scanned.iter().flat_map(|Scanned { schema, table, scan }| {
        scan.proposed.iter().map(move |proposed| {
            [
                format!("{schema}.{table}"),
                proposed.place.clone(),
                proposed.tag.to_owned(),
                proposed.reason.clone(),
                proposed.example.clone(),
            ]
        })
    });
    listing(["table", "column", "tag", "because", "such as"], rows)
}

fn as_policy(scanned: &[Scanned]) -> String {
    let mut tags = Vec::new();
    for Scanned { schema, table, scan } in scanned {
        for proposed in &scan.proposed {
            let tag = json!({
                "tag": proposed.tag,
                "schema": pattern(schema),
                "table": pattern(table),
                "column": pattern(&proposed.column),
            });
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    format!("{:#}", json!({ "tags": tags }))
}

/// A pattern that matches this name alone: names in a policy are regular expressions.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for character in name.chars() {
        if !(character.is_alphanumeric() || character == '_') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
