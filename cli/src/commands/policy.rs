//! `tithe policy`: does the policy fit the lake, and what does a user see?

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tithe_engine::{Engine, Principal};
use tokio::runtime::Runtime;

use super::policy_test;
use crate::failure::{Failure, Result};
use crate::lake::{LakeArguments, Opened};
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe policy check --policy policy.json --lake lake
  tithe policy explain lin --policy policy.json --lake lake                   every table
  tithe policy explain lin tax.taxpayer --policy policy.json --lake lake      its rows and columns
  tithe policy test expected.toml --policy policy.json --lake lake            after every change of it
  tithe sql --policy policy.json --as lin --lake lake                         try it

How a policy is written: docs/policy.md.";

/// Options of `tithe policy`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read the policy and try its filters and masks on the lake's tables
    #[command(after_help = EXAMPLES)]
    Check(Check),
    /// Say which rule decides what a user sees, and what it shows
    #[command(after_help = EXAMPLES)]
    Explain(Explain),
    /// Compare what the policy says with what is expected of it
    #[command(after_help = EXAMPLES)]
    Test(Test),
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    lake: LakeArguments,
}

#[derive(Debug, Args)]
struct Explain {
    /// The user's name
    user: String,

    /// The table, as SCHEMA.TABLE [default: all of the lake]
    table: Option<String>,

    /// A group that the user's identity provider puts them in; may be given several times
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,

    #[command(flatten)]
    lake: LakeArguments,
}

#[derive(Debug, Args)]
struct Test {
    /// A file of expectations (docs/policy.md)
    file: PathBuf,

    #[command(flatten)]
    lake: LakeArguments,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        match self.action {
            Action::Check(arguments) => runtime.block_on(arguments.run()),
            Action::Explain(arguments) => runtime.block_on(arguments.run()),
            Action::Test(arguments) => runtime.block_on(arguments.run()),
        }
    }
}

impl Check {
    async fn run(self) -> Result<()> {
        let opened = open(&self.lake).await?;
        let problems = opened.engine.policy_problems().await.map_err(|error| Failure::of_opening(&error))?;
        match problems.as_slice() {
            [] => print("the policy fits the lake"),
            problems => {
                Err(Failure::usage(format!("the policy does not fit the lake:\n{}", problems.join("\n"))))
            }
        }
    }
}

impl Explain {
    async fn run(self) -> Result<()> {
        let opened = open(&self.lake).await?;
        let principal = Principal { name: self.user, groups: self.group.into_iter().collect() };
        match &self.table {
            Some(table) => print(&one_table(&opened.engine, &principal, table).await?),
            None => print(&every_table(&opened.engine, &principal).await?),
        }
    }
}

impl Test {
    async fn run(self) -> Result<()> {
        let opened = open(&self.lake).await?;
        let tested = policy_test::test(&opened.engine, &self.file).await?;
        if tested.wrong.is_empty() {
            return print(&format!("the policy is as expected: {} looked at", tested.expected));
        }
        Err(Failure::failed(format!("the policy is not as expected:\n{}", tested.wrong.join("\n"))))
    }
}

async fn open(lake: &LakeArguments) -> Result<Opened> {
    let opened = lake.open().await?;
    if !opened.engine.has_policy() {
        return Err(Failure::usage(
            "there is no policy: give one with --policy, or as `policy` in tithe.toml",
        ));
    }
    if opened.location.is_none() {
        return Err(Failure::usage("there is no lake to look at: name one with --lake"));
    }
    Ok(opened)
}

/// Both halves of `SCHEMA.TABLE`, or what is wrong with it.
pub(super) fn schema_and_table(text: &str) -> std::result::Result<(&str, &str), String> {
    text.split_once('.')
        .ok_or_else(|| format!("{text:?} is not a table: write SCHEMA.TABLE, such as tax.taxpayer"))
}

async fn one_table(engine: &Engine, principal: &Principal, table: &str) -> Result<String> {
    let (schema, name) = schema_and_table(table).map_err(Failure::usage)?;
    let access =
        engine.access(principal.clone(), schema, name).await.map_err(|error| Failure::of_opening(&error))?;
    let Some(access) = access else { return Ok(String::new()) };
    let mut text = format!("{} on {table}: {}", principal.name, access.decision);
    for filter in &access.filters {
        text.push_str(&format!("\nrows where {filter}"));
    }
    if let Some(group) = &access.minimum_group {
        text.push_str(&format!("\nin groups alone: {group}"));
    }
    if access.permitted {
        let columns = access.columns.into_iter().map(|column| [column.name, column.tags, column.shown]);
        text.push_str(&format!("\n\n{}", listing(["column", "tags", "what is seen"], columns)));
    }
    Ok(text)
}

async fn every_table(engine: &Engine, principal: &Principal) -> Result<String> {
    let mut rows = Vec::new();
    for (schema, table) in engine.table_names().await.map_err(|error| Failure::of_opening(&error))? {
        let name = format!("{schema}.{table}");
        let row = match engine.access(principal.clone(), &schema, &table).await {
            Ok(Some(access)) => {
                let hidden = access.columns.iter().filter(|column| column.shown == "hidden").count();
                let masked = access.columns.iter().filter(|column| column.is_masked()).count();
                let columns = match (access.permitted, hidden, masked) {
                    (false, ..) => String::new(),
                    (true, 0, 0) => "all".to_owned(),
                    (true, hidden, masked) => format!("{hidden} hidden, {masked} masked"),
                };
                let mut rows = match (access.permitted, access.filters.len()) {
                    (false, _) => String::new(),
                    (true, 0) => "all".to_owned(),
                    (true, _) => access.filters.join(" and "),
                };
                if let Some(group) = &access.minimum_group {
                    rows.push_str(&format!(", in groups alone: {group}"));
                }
                [name, access.decision, rows, columns]
            }
            Ok(None) => continue,
            Err(error) => [name, format!("cannot be read: {error}"), String::new(), String::new()],
        };
        rows.push(row);
    }
    Ok(listing(["table", "decision", "rows", "columns"], rows))
}

fn print(text: &str) -> Result<()> {
    let mut destination = Destination::stdout();
    writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
    destination.commit()
}
