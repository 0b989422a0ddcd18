//! `tithe functions`: what Tithe adds to SQL.

use std::io::Write;

use clap::Args;
use tithe_udfs::{FunctionDoc, FunctionKind, functions};

use crate::failure::{Failure, Result};
use crate::nearest::nearest;
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe functions               every function, one line each
  tithe functions forecast      the whole contract of one, with examples";

/// Options of `tithe functions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The function to explain
    name: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let text = match &self.name {
            Some(name) => explain(name)?,
            None => overview(),
        };
        let mut destination = Destination::stdout();
        writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
        destination.commit()
    }
}

/// Every function in one line.
pub(crate) fn overview() -> String {
    listing(
        ["function", "kind", "section", "what it does"],
        functions().iter().map(|entry| {
            let doc = entry.doc;
            [doc.name, kind(doc.kind), doc.section, doc.summary].map(ToOwned::to_owned)
        }),
    )
}

/// The contract of one function.
pub(crate) fn explain(name: &str) -> Result<String> {
    let wanted = name.trim_end_matches("()").to_ascii_lowercase();
    let all = functions();
    match all.iter().find(|entry| entry.doc.name == wanted) {
        Some(entry) => Ok(contract(entry.doc)),
        None => {
            let names = all.iter().map(|entry| entry.doc.name);
            Err(Failure::usage(format!(
                "Tithe adds no function {name:?}{}; `tithe functions` lists them all, and SHOW FUNCTIONS lists \
                 those of SQL",
                nearest(&wanted, names)
            )))
        }
    }
}

fn contract(doc: &FunctionDoc) -> String {
    let mut text = format!(
        "{} ({} function, {})\n\n  {}\n\n{}\n\n{}\n",
        doc.name,
        kind(doc.kind),
        doc.section,
        doc.syntax,
        doc.summary,
        doc.description
    );
    if !doc.arguments.is_empty() {
        text.push_str("\nArguments\n");
        for argument in doc.arguments {
            text.push_str(&format!("  {} {}: {}\n", argument.name, argument.sql_type, argument.description));
        }
    }
    for (heading, paragraph) in
        [("Returns", doc.returns), ("NULL", doc.nulls), ("Errors", doc.errors), ("Source", doc.source)]
    {
        if !paragraph.is_empty() {
            text.push_str(&format!("\n{heading}\n  {}\n", paragraph.replace('\n', "\n  ")));
        }
    }
    for example in doc.examples {
        text.push_str(&format!("\nExample\n\n{};\n\n{}\n", example.sql.trim(), example.result.trim()));
    }
    text.trim_end().to_owned()
}

fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Scalar => "scalar",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Table => "table",
    }
}
