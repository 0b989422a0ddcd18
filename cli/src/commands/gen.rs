//! `tithe gen`: writes a sample lake.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tithe_data_gen::{GenerateError, GenerateOptions, Progress, TableSummary, generate};
use tokio::runtime::Runtime;

use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::DEFAULT_LAKE;
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe gen --scale 0.01                       a small lake in ./lake: 100,000 invoices
  tithe gen --scale 1 --seed 7 --out big       ten million invoices, in ./big
  tithe gen --scale 0.01 --overwrite           again, in place of what is there

The same seed and scale give the same bytes, whatever the threads. Every person, business and amount is made up,
except the published series of schema real.";

/// Options of `tithe gen`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// How much: 1 is ten million invoices, 200,000 taxpayers and 20,000 creators
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    scale: f64,

    /// Which lake: another seed makes other people and amounts
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// The lake's directory
    #[arg(long, value_name = "DIR", default_value = DEFAULT_LAKE)]
    out: PathBuf,

    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// Replace tables that exist; they stay as they are until the new ones are complete
    #[arg(long)]
    overwrite: bool,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        let options = GenerateOptions {
            scale: self.scale,
            seed: self.seed,
            out: self.out,
            threads: self.threads.map(usize::from),
            overwrite: self.overwrite,
        };
        let out = options.out.clone();
        let tables = runtime.block_on(write_lake(options))?;
        let mut destination = Destination::stdout();
        writeln!(destination, "{}", summary(&tables)).map_err(|error| destination.io_failure(&error))?;
        destination.commit()?;
        eprintln!("the lake is in {0}; next: tithe sql --lake {0}", out.display());
        Ok(())
    }
}

/// Generates with a progress bar on standard error where that is a terminal.
///
/// An interrupt ends the process, not the threads: the next run clears away what they left under hidden names.
pub(crate) async fn write_lake(options: GenerateOptions) -> Result<Vec<TableSummary>> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let work = tokio::task::spawn_blocking(move || generate(&options, &Bar(bar)));
    let made = or_interrupt(async {
        work.await.map_err(|error| Failure::failed(format!("the generator stopped unexpectedly: {error}")))
    });
    made.await?.map_err(|error| match error {
        GenerateError::Scale { .. } | GenerateError::Threads | GenerateError::TableExists { .. } => {
            Failure::usage(error.to_string())
        }
        other => Failure::failed(other.to_string()),
    })
}

fn summary(tables: &[TableSummary]) -> String {
    listing(
        ["schema", "table", ">rows", ">files", ">size"],
        tables.iter().map(|table| {
            [
                table.schema.clone(),
                table.table.clone(),
                HumanCount(table.rows).to_string(),
                HumanCount(table.files).to_string(),
                HumanBytes(table.bytes).to_string(),
            ]
        }),
    )
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn start(&self, total_units: u64) {
        self.0.set_length(total_units);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}  {msg}")
        {
            self.0.set_style(style);
        }
    }

    fn advance(&self, units: u64, table: &str) {
        self.0.set_message(table.to_owned());
        self.0.inc(units);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}
