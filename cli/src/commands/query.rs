//! `tithe query`: the library of questions that are already answered.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use tithe_queries::{LibraryQuery, find, library};
use tokio::runtime::Runtime;

use crate::commands::sql::OutputArguments;
use crate::failure::{Failure, Result};
use crate::lake::LakeArguments;
use crate::nearest::nearest;
use crate::output::{Destination, listing};
use crate::script::{self, Target};

const EXAMPLES: &str = "\
Examples:
  tithe query list                                        every question
  tithe query list vat                                    those of one domain
  tithe query show vat/circular_trading                   parameters, columns and SQL
  tithe query run vat/circular_trading --param minimum_amount=500000
  tithe query run creators/case_list --output cases.csv";

/// Options of `tithe query`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the queries and the questions they answer
    List {
        /// Only this domain, such as vat or creators
        domain: Option<String>,
    },
    /// Print a query's parameters, columns and SQL
    Show {
        /// Its name, such as vat/circular_trading
        name: String,
    },
    /// Run a query
    #[command(after_help = EXAMPLES)]
    Run(Box<RunArguments>),
}

/// Options of `tithe query run`.
#[derive(Debug, Args)]
struct RunArguments {
    /// Its name, such as vat/circular_trading
    name: String,

    /// Give a parameter a value; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<(String, String)>,

    #[command(flatten)]
    output: OutputArguments,

    /// Say on standard error how long it took, and how much it spilled to disk
    #[arg(long)]
    timing: bool,

    #[command(flatten)]
    lake: LakeArguments,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        match self.action {
            Action::List { domain } => print(&list(domain.as_deref())?),
            Action::Show { name } => print(&show(named(&name)?)),
            Action::Run(arguments) => arguments.run(runtime),
        }
    }
}

impl RunArguments {
    fn run(self, runtime: &Runtime) -> Result<()> {
        let mut given = BTreeMap::new();
        for (name, value) in self.parameters {
            if given.insert(name.clone(), value).is_some() {
                return Err(Failure::usage(format!("the parameter {name} is given twice: give it once")));
            }
        }
        let sql = named(&self.name)?.bind(&given).map_err(|error| Failure::usage(error.to_string()))?;
        let rendering = self.output.rendering()?;
        let target = Target { rendering, output: self.output.output.as_deref(), timing: self.timing };
        runtime.block_on(async {
            let opened = self.lake.open().await?;
            let result = script::run(&opened.session, &sql, target).await;
            opened.explain(result)
        })
    }
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("a parameter is given as NAME=VALUE, such as year=2025".to_owned()),
    }
}

fn named(name: &str) -> Result<&'static LibraryQuery> {
    find(name).map_err(|error| Failure::usage(error.to_string()))
}

fn list(domain: Option<&str>) -> Result<String> {
    let shown: Vec<&LibraryQuery> =
        library().iter().filter(|query| domain.is_none_or(|domain| query.domain == domain)).collect();
    if let (Some(domain), true) = (domain, shown.is_empty()) {
        let domains = library().iter().map(|query| query.domain).collect::<std::collections::BTreeSet<_>>();
        let hint = nearest(domain, domains.iter().copied());
        let all = domains.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("there is no domain {domain:?}{hint}; there are {all}")));
    }
    Ok(listing(
        ["query", "question"],
        shown.iter().map(|query| [query.name.to_owned(), query.question.clone()]),
    ))
}

fn show(query: &LibraryQuery) -> String {
    let mut text = format!("{}: {}\n{}\n", query.name, query.title, query.question);
    if !query.parameters.is_empty() {
        let parameters = query.parameters.iter().map(|parameter| {
            [
                parameter.name.clone(),
                parameter.kind.name().to_owned(),
                parameter.default.clone().unwrap_or_else(|| "(must be given)".to_owned()),
                parameter.description.clone(),
            ]
        });
        text.push_str(&format!("\n{}\n", listing(["parameter", "type", "default", "meaning"], parameters)));
    }
    let columns = query
        .columns
        .iter()
        .map(|column| [column.name.clone(), column.sql_type.clone(), column.description.clone()]);
    text.push_str(&format!("\n{}\n", listing(["column", "type", "meaning"], columns)));
    let body: Vec<&str> = query.sql.lines().skip_while(|line| line.starts_with("--")).collect();
    text.push_str(&format!("\n{}", body.join("\n").trim_end()));
    text
}

fn print(text: &str) -> Result<()> {
    let mut destination = Destination::stdout();
    writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
    destination.commit()
}
