//! `tithe sql`: a shell, or statements from the command line, a file or standard input.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::runtime::Runtime;

use crate::cluster::ClusterArguments;
use crate::failure::{Failure, Result};
use crate::lake::LakeArguments;
use crate::output::Format;
use crate::script::{self, Target};
use crate::shell;
use crate::statement::Rendering;

const EXAMPLES: &str = "\
Examples:
  tithe sql                                              the shell; \\? inside it lists its commands
  tithe sql -c 'SELECT * FROM ref.bureau'
  tithe sql -c 'SELECT * FROM tax.vat_return' --output returns.parquet
  tithe sql -f report.sql --format csv | head
  echo 'SELECT count(*) FROM invoice.header' | tithe sql --lake s3://bucket/lake --format json";

/// More than anyone reads on a screen.
const ROWS_ON_SCREEN: usize = 1000;

/// Options of `tithe sql`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Run these statements; may be given several times
    #[arg(short = 'c', long = "command", value_name = "SQL", conflicts_with = "file")]
    commands: Vec<String>,

    /// Run the statements in this file; - is standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArguments,

    /// Say on standard error how long each statement took, and how much it spilled to disk
    #[arg(long)]
    timing: bool,

    #[command(flatten)]
    cluster: ClusterArguments,

    #[command(flatten)]
    lake: LakeArguments,
}

/// How and where results are written.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// How results are written [default: by the extension of --output, else table]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = false)]
    pub(crate) format: Option<Format>,

    /// Write to this file, which appears whole or not at all
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Rows that a table shows; 0 is all [default: 1000, and all of them in a file]
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<usize>,
}

impl OutputArguments {
    /// The format asked for, by name or by the file's extension.
    pub(crate) fn rendering(&self) -> Result<Rendering> {
        let format = match (self.format, &self.output) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            (None, Some(path)) => Format::of_path(path).ok_or_else(|| {
                Failure::usage(format!(
                    "the extension of {} names no format: end it in .csv, .json, .ndjson, .md, .arrow, \
                     .parquet or .txt, or say --format",
                    path.display()
                ))
            })?,
        };
        let max_rows = match (self.max_rows, &self.output) {
            (Some(rows), _) => (rows > 0).then_some(rows),
            (None, None) => Some(ROWS_ON_SCREEN),
            // A table in a file is a document: nothing is left out unless asked.
            (None, Some(_)) => None,
        };
        Ok(Rendering { format, max_rows })
    }
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        let rendering = self.output.rendering()?;
        let Some(script) = self.script()? else {
            if self.output.output.is_some() {
                return Err(Failure::usage(
                    "--output needs statements: give them with -c, -f or through a pipe",
                ));
            }
            let opened = runtime.block_on(self.lake.open_on(&self.cluster, None))?;
            return shell::run(runtime, &opened, rendering, self.timing);
        };
        let target = Target { rendering, output: self.output.output.as_deref(), timing: self.timing };
        runtime.block_on(async {
            let opened = self.lake.open_on(&self.cluster, None).await?;
            let result = script::run(&opened.session, &script, target).await;
            opened.explain(result)
        })
    }

    /// The statements to run; none when a person is to type them.
    fn script(&self) -> Result<Option<String>> {
        if !self.commands.is_empty() {
            return Ok(Some(self.commands.join("\n;\n")));
        }
        match &self.file {
            Some(path) if path.as_os_str() != "-" => read_script(path).map(Some),
            Some(_) => read_stdin().map(Some),
            None if std::io::stdin().is_terminal() => Ok(None),
            None => read_stdin().map(Some),
        }
    }
}

/// The text of a script file.
pub(crate) fn read_script(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("cannot read the script {}: {error}", path.display())))?;
    text(bytes, &path.display().to_string())
}

fn read_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
    text(bytes, "standard input")
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        Failure::usage(format!(
            "the script {name} is not UTF-8 text: byte {} does not fit; convert it with iconv",
            error.utf8_error().valid_up_to()
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}
