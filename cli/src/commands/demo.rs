//! `tithe demo`: the main job on a small sample lake, from nothing to a report.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use serde::Deserialize;
use tithe_data_gen::GenerateOptions;
use tokio::runtime::Runtime;

use crate::commands::r#gen::write_lake;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::LakeArguments;
use crate::output::Destination;
use crate::report::{self, Section};

const SEED: u64 = 42;

const EXAMPLES: &str = "\
Examples:
  tithe demo                             in ./tithe-demo, within two minutes
  tithe demo --dir /tmp/demo --scale 0.1

The lake is made up by the seed 42, except the real revenue series of Taiwan, Brazil and Philadelphia in schema real.
A second run uses the lake that is there.";

/// Options of `tithe demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where the sample lake and the report go
    #[arg(long, value_name = "DIR", default_value = "tithe-demo")]
    dir: PathBuf,

    /// Size of the sample lake: 0.01 is 100,000 invoices
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    scale: f64,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        let start = Instant::now();
        let lake = self.dir.join("lake");
        runtime.block_on(self.prepare(&lake))?;
        let sections = runtime.block_on(or_interrupt(sections(&lake)))?;
        let page = self.dir.join("report.html");
        let made_from = format!(
            "Forecasts rest on Taiwan's published tax revenue; the cases on a sample lake in which every person, \
             business and amount is made up (scale {}, seed {SEED}).",
            self.scale
        );
        let mut file = Destination::file(&page)?;
        file.write_all(report::page(&sections, &made_from).as_bytes())
            .map_err(|error| file.io_failure(&error))?;
        file.commit()?;
        let mut destination = Destination::stdout();
        report::print(&sections, &mut destination)?;
        let seconds = start.elapsed().as_secs_f64();
        write!(destination, "{}", next(&lake, &page, seconds))
            .map_err(|error| destination.io_failure(&error))?;
        destination.commit()
    }

    /// Generates the lake, unless a whole one of this scale and seed is there.
    async fn prepare(&self, lake: &Path) -> Result<()> {
        let wanted = Made { scale: self.scale, seed: SEED, version: env!("CARGO_PKG_VERSION").to_owned() };
        if made(lake).is_some_and(|made| made == wanted) {
            eprintln!("using the sample lake in {}", lake.display());
            return Ok(());
        }
        eprintln!("writing a sample lake of scale {} to {}", self.scale, lake.display());
        std::fs::create_dir_all(&self.dir).map_err(|error| {
            Failure::usage(format!("cannot make the folder {}: {error}", self.dir.display()))
        })?;
        let options = GenerateOptions {
            scale: self.scale,
            seed: SEED,
            out: lake.to_path_buf(),
            threads: None,
            overwrite: true,
        };
        write_lake(options).await.map(drop)
    }
}

/// What a generated lake says of itself, once it is whole.
#[derive(Debug, PartialEq, Deserialize)]
struct Made {
    scale: f64,
    seed: u64,
    version: String,
}

fn made(lake: &Path) -> Option<Made> {
    serde_json::from_slice(&std::fs::read(lake.join("_lake.json")).ok()?).ok()
}

async fn sections(lake: &Path) -> Result<Vec<Section>> {
    let opened = LakeArguments::at(lake).open().await?;
    let spinner =
        if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    spinner.enable_steady_tick(Duration::from_millis(200));
    let sections = report::sections(&opened.session, |doing| {
        spinner.set_message(doing.to_owned());
        tracing::info!(doing, "report");
    })
    .await;
    spinner.finish_and_clear();
    sections
}

/// The lines to try next, to be pasted as they are.
fn next(lake: &Path, page: &Path, seconds: f64) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "tithe".to_owned());
    let lake = lake.display();
    format!(
        "== What next ({seconds:.0} s so far)\n\
         The shell:\n  {program} sql --lake {lake}\n\
         One query:\n  {program} sql --lake {lake} -c \"SELECT * FROM tax.revenue_monthly ORDER BY month DESC LIMIT 5\"\n\
         The library:\n  {program} query list\n\
         The server, and Python over Flight SQL (pip install adbc-driver-flightsql pyarrow pandas):\n  \
           {program} serve --lake {lake} --listen 127.0.0.1:32010\n\
         \n{}\n\
         The report: {}\n",
        crate::python::snippet("grpc://127.0.0.1:32010", false),
        std::path::absolute(page).unwrap_or_else(|_unknown| page.to_path_buf()).display(),
    )
}
