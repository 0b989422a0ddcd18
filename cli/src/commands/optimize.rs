//! `tithe optimize`: a table's files written anew, sorted and sized, for the queries that are asked of it.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, HumanCount};
use tithe_engine::{
    LayoutOptions, LayoutOrder, LayoutProgress, LayoutReport, LayoutTotals, ObservedQueries, QueryGain,
    RollupInfo, Session, parse_size,
};
use tokio::runtime::Runtime;

use super::policy::schema_and_table;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::LakeArguments;
use crate::output::{Destination, listing};

const EXAMPLES: &str = "\
Examples:
  tithe optimize invoice.item --sort-by seller_ban,invoice_date
  tithe optimize invoice.header --z-order seller_ban,buyer_ban      for queries that filter by either
  tithe optimize invoice.header --from-queries dashboard.sql --measure
  tithe optimize invoice.header --from-audit audit --dry-run        what it would do and save
  tithe optimize invoice.header --grace 0s                          old files go at once

Readers see the old files or the new ones, and rows that are added meanwhile are kept. Killed, it goes on where it was when it
is run again. What is chosen how: docs/optimize.md.";

/// Characters of a statement that are shown.
const SHOWN: usize = 60;

/// Options of `tithe optimize`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The table, as SCHEMA.TABLE
    table: String,

    /// Sort by these columns, the first one foremost [default: those that the observed queries filter by]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', conflicts_with = "z_order")]
    sort_by: Vec<String>,

    /// Sort the rows of each row group only, and leave those together that lie together
    #[arg(long, requires = "sort_by")]
    within_row_groups: bool,

    /// Keep rows together that are near in all of these columns
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    z_order: Vec<String>,

    /// The queries that are asked of the table: statements in a file
    #[arg(long, value_name = "FILE.SQL", conflicts_with = "from_audit")]
    from_queries: Option<PathBuf>,

    /// The queries that are asked of the table: those on record in an audit directory
    #[arg(long, value_name = "DIR")]
    from_audit: Option<PathBuf>,

    /// Columns that get a bloom filter if they have many values, beside those that the queries suggest
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    bloom_filter: Vec<String>,

    /// How large a file becomes
    #[arg(long, value_name = "SIZE", default_value = "128MiB", value_parser = parse_size)]
    target_file_size: usize,

    /// Rows of a row group
    #[arg(long, value_name = "N", default_value_t = 131_072, value_parser = clap::value_parser!(u32).range(1..))]
    row_group_rows: u32,

    /// How long the old files are kept for the queries that read them
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    grace: Duration,

    /// Run the queries before and after, and say how long they take
    #[arg(long)]
    measure: bool,

    /// Do all of it but keep nothing
    #[arg(long)]
    dry_run: bool,

    /// Lay out partitions anew that lie so already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    lake: LakeArguments,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        runtime.block_on(or_interrupt(self.optimize()))
    }

    async fn optimize(&self) -> Result<()> {
        let (schema, table) = schema_and_table(&self.table).map_err(Failure::usage)?;
        let opened = self.lake.open().await?;
        if opened.location.is_none() {
            return Err(Failure::usage("there is no lake with tables: name one with --lake"));
        }
        if opened.engine.has_policy() && self.lake.as_user.is_none() {
            return Err(Failure::usage(
                "under a policy a table is laid out by somebody: say --as USER, who needs OWNERSHIP of it, or INSERT \
                 and DELETE on it",
            ));
        }
        let options = self.options(&opened.session)?;
        let report = opened.session.optimize(schema, table, &options, &Progress).await;
        let report = report.map_err(|error| Failure::of_opening(&error))?;
        let mut destination = Destination::stdout();
        writeln!(destination, "{}", self.told(&report)).map_err(|error| destination.io_failure(&error))?;
        destination.commit()?;
        // Their segments are of files that were replaced.
        let rollups = opened.session.rollups(schema, table).await;
        let rollups = rollups.map_err(|error| Failure::of_opening(&error))?;
        let waits = |rollup: &RollupInfo| rollup.state.as_ref().is_ok_and(|state| state.files_left > 0);
        if !self.dry_run && rollups.iter().any(waits) {
            eprintln!("its rollups count for none of the new files yet: tithe rollup refresh {}", self.table);
        }
        Ok(())
    }

    fn options(&self, session: &Session) -> Result<LayoutOptions> {
        let order = match (self.sort_by.as_slice(), self.z_order.as_slice()) {
            ([], []) => LayoutOrder::Observed,
            (columns, []) if self.within_row_groups => LayoutOrder::WithinRowGroups(columns.to_vec()),
            (columns, []) => LayoutOrder::Columns(columns.to_vec()),
            (_, columns) => LayoutOrder::ZOrder(columns.to_vec()),
        };
        let queries = match (&self.from_queries, &self.from_audit) {
            (Some(file), _) => {
                let refuse =
                    |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", file.display()));
                let script = std::fs::read_to_string(file).map_err(|error| refuse(&error))?;
                let statements = session.split(&script).map_err(|error| refuse(&error))?;
                if statements.is_empty() {
                    return Err(refuse(
                        &"it holds no statement: write the queries that are asked of the table",
                    ));
                }
                ObservedQueries::Statements(statements)
            }
            (None, Some(directory)) => ObservedQueries::Audit(directory.clone()),
            (None, None) if self.measure => {
                return Err(Failure::usage("--measure needs queries to run: give them with --from-queries"));
            }
            (None, None) => ObservedQueries::None,
        };
        Ok(LayoutOptions {
            order,
            queries,
            bloom_filters: self.bloom_filter.clone(),
            target_file_size: u64::try_from(self.target_file_size).unwrap_or(u64::MAX),
            row_group_rows: usize::try_from(self.row_group_rows).unwrap_or(usize::MAX),
            grace: self.grace,
            dry_run: self.dry_run,
            measure: self.measure,
            force: self.force,
        })
    }

    fn told(&self, report: &LayoutReport) -> String {
        let mut text = format!("{}: {}", self.table, report.order);
        if !report.because.is_empty() {
            text.push_str(&format!(
                "; what conditions on them leave out, over all queries: {}",
                report.because
            ));
        }
        let written = report.partitions - report.there;
        text.push_str(&match (written, self.dry_run) {
            (0, _) => format!("\nnothing to do: its {} lie so already", partitions(report.there)),
            (written, true) => format!("\n{} would be written, nothing was kept", partitions(written)),
            (written, false) => format!("\n{} written, {} lay so before", partitions(written), report.there),
        });
        let row = |when: &str, totals: LayoutTotals| {
            [
                when.to_owned(),
                count(totals.files),
                count(totals.row_groups),
                HumanBytes(totals.bytes).to_string(),
                HumanCount(report.rows).to_string(),
            ]
        };
        let both = [row("before", report.before), row("after", report.after)];
        text.push_str(&format!("\n{}", listing(["", ">files", ">row groups", ">bytes", ">rows"], both)));
        if !report.columns.is_empty() {
            let columns = report.columns.iter().map(|column| {
                [
                    column.column.clone(),
                    column.encoding.clone(),
                    column.compression.clone(),
                    if column.bloom_filter { "yes" } else { "" }.to_owned(),
                    HumanBytes(u64::try_from(column.sample_bytes).unwrap_or(u64::MAX)).to_string(),
                    milliseconds(column.sample_decode),
                ]
            });
            let headers = ["column", "encoding", "compression", "bloom filter", ">sample", ">decoded in ms"];
            text.push_str(&format!("\n{}", listing(headers, columns)));
        }
        if !report.queries.is_empty() {
            let headers =
                ["query", ">times", ">row groups before", ">row groups after", ">ms before", ">ms after"];
            text.push_str(&format!("\n{}", listing(headers, report.queries.iter().map(gain))));
        }
        if report.not_understood > 0 {
            text.push_str(&format!(
                "\n{} statements of the audit are not understood any more, and were left out",
                count(report.not_understood)
            ));
        }
        text
    }
}

fn gain(query: &QueryGain) -> [String; 6] {
    let line = query.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(SHOWN).collect();
    if line.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    let (before, after) = match query.measured {
        Some((before, after)) => (milliseconds(before), after.map(milliseconds).unwrap_or_default()),
        None => Default::default(),
    };
    let of = |(looked_at, all): (usize, usize)| format!("{} of {}", count(looked_at), count(all));
    [shown, HumanCount(query.times).to_string(), of(query.before), of(query.after), before, after]
}

fn partitions(number: usize) -> String {
    match number {
        1 => "1 partition".to_owned(),
        number => format!("{} partitions", count(number)),
    }
}

fn count(number: usize) -> String {
    HumanCount(u64::try_from(number).unwrap_or(u64::MAX)).to_string()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// Lines on standard error.
struct Progress;

impl LayoutProgress for Progress {
    fn begins(&self, partitions: usize, there: usize) {
        if partitions > 1 {
            eprintln!("{} partitions, {} of them lie so already", count(partitions), count(there));
        }
    }

    fn done(&self, partition: &str, rows: u64) {
        if !partition.is_empty() {
            eprintln!("{partition}: {} rows", HumanCount(rows));
        }
    }

    fn waits(&self, rest: Duration) {
        eprintln!(
            "the new files are in force; the old ones stay another {} for queries that read them, or until the next run",
            humantime::format_duration(Duration::from_secs(rest.as_secs()))
        );
    }
}
