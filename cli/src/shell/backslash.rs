//! The shell's own commands.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use tithe_engine::EngineError;
use tokio::runtime::Runtime;

use crate::commands::{functions, sql};
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::Opened;
use crate::nearest::nearest;
use crate::output::{Destination, Format, listing};
use crate::shell::State;

/// Name, argument, meaning.
pub(crate) const COMMANDS: [(&str, &str, &str); 9] = [
    ("\\d", "[SCHEMA.TABLE]", "tables, or the columns of one"),
    ("\\dn", "", "schemas"),
    ("\\df", "[NAME]", "Tithe's functions, or the contract of one"),
    ("\\timing", "[on|off]", "say how long statements take"),
    ("\\format", "[NAME]", "how results are written: table, csv, json, ndjson, markdown"),
    ("\\rows", "[N]", "rows that a table shows; 0 is all"),
    ("\\i", "FILE", "run the statements in a file"),
    ("\\?", "", "this help"),
    ("\\q", "", "leave; so does Ctrl-D"),
];

/// What the shell does after a command.
pub(crate) enum Next {
    Stay,
    Leave,
}

/// Does what `line`, which starts with a backslash, says.
pub(crate) fn run(runtime: &Runtime, opened: &Opened, state: &mut State, line: &str) -> Result<Next> {
    let line = line.trim_end().trim_end_matches(';').trim_end();
    let (command, argument) = match line.split_once(char::is_whitespace) {
        Some((command, argument)) => (command, argument.trim()),
        None => (line, ""),
    };
    match command {
        "\\q" => return Ok(Next::Leave),
        "\\?" | "\\h" | "\\help" => print(&help())?,
        "\\d" | "\\dt" if argument.is_empty() => print(&runtime.block_on(or_interrupt(tables(opened)))?)?,
        "\\d" => print(&runtime.block_on(or_interrupt(columns(opened, argument)))?)?,
        "\\dn" => print(&runtime.block_on(or_interrupt(schemas(opened)))?)?,
        "\\df" if argument.is_empty() => print(&functions::overview())?,
        "\\df" => print(&functions::explain(argument)?)?,
        "\\timing" => {
            state.timing = match argument {
                "" => !state.timing,
                "on" => true,
                "off" => false,
                other => return Err(Failure::usage(format!("\\timing takes on or off, not {other:?}"))),
            };
            eprintln!("timing is {}", if state.timing { "on" } else { "off" });
        }
        "\\format" => {
            if !argument.is_empty() {
                state.rendering.format = format(argument)?;
            }
            eprintln!("format is {}", state.rendering.format);
        }
        "\\rows" => {
            if !argument.is_empty() {
                let rows: usize = argument.parse().map_err(|error| {
                    Failure::usage(format!("\\rows takes a number, not {argument:?}: {error}"))
                })?;
                state.rendering.max_rows = (rows > 0).then_some(rows);
            }
            match state.rendering.max_rows {
                Some(rows) => eprintln!("tables show {rows} rows"),
                None => eprintln!("tables show all rows"),
            }
        }
        "\\i" if argument.is_empty() => return Err(Failure::usage("\\i takes the name of a file")),
        "\\i" => {
            let script = sql::read_script(Path::new(argument))?;
            runtime.block_on(super::file(opened, state, &script))?;
        }
        unknown => {
            let names = COMMANDS.iter().map(|(name, ..)| *name);
            return Err(Failure::usage(format!(
                "there is no command {unknown}{}; \\? lists them",
                nearest(unknown, names)
            )));
        }
    }
    Ok(Next::Stay)
}

fn format(name: &str) -> Result<Format> {
    Format::from_str(name, true).map_err(|_unknown| {
        let names: Vec<String> = Format::value_variants().iter().map(ToString::to_string).collect();
        Failure::usage(format!("there is no format {name:?}: take one of {}", names.join(", ")))
    })
}

fn help() -> String {
    let mut text =
        String::from("Statements end in ; and may go over several lines. Ctrl-C cancels a running one.\n");
    for (name, argument, meaning) in COMMANDS {
        text.push_str(&format!("  {:<24}{meaning}\n", format!("{name} {argument}")));
    }
    text.push_str("Tab completes keywords, schemas, tables, columns and functions.");
    text
}

async fn tables(opened: &Opened) -> Result<String> {
    let tables = opened.session.tables().await.map_err(|error| failed(&error))?;
    Ok(listing(
        ["schema", "table", "stored as"],
        tables.into_iter().map(|info| [info.schema, info.table, format!("{:?}", info.format)]),
    ))
}

async fn schemas(opened: &Opened) -> Result<String> {
    let tables = opened.session.tables().await.map_err(|error| failed(&error))?;
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for info in tables {
        *counts.entry(info.schema).or_default() += 1;
    }
    Ok(listing(
        ["schema", ">tables"],
        counts.into_iter().map(|(schema, tables)| [schema, tables.to_string()]),
    ))
}

async fn columns(opened: &Opened, name: &str) -> Result<String> {
    let (schema, table) = name.split_once('.').unwrap_or(("public", name));
    let columns = opened
        .session
        .table_schema(schema.trim_matches('"'), table.trim_matches('"'))
        .await
        .map_err(|error| failed(&error))?;
    Ok(listing(
        ["column", "type", "may be NULL"],
        columns.fields().iter().map(|field| {
            let nullable = if field.is_nullable() { "yes" } else { "no" };
            [field.name().clone(), field.data_type().to_string(), nullable.to_owned()]
        }),
    ))
}

fn failed(error: &EngineError) -> Failure {
    Failure::of_statement(error)
}

fn print(text: &str) -> Result<()> {
    let mut destination = Destination::stdout();
    writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
    destination.commit()
}
