//! Runs one statement and writes its rows as they come.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch, UInt64Array};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use tithe_engine::{EngineError, Session, StatementKind};
use tokio::sync::mpsc;

use crate::defect;
use crate::failure::{Failure, Result};
use crate::output::{self, Destination, Format};

/// How rows are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendering {
    /// The format.
    pub(crate) format: Format,
    /// How many rows `table` shows; all without a bound.
    pub(crate) max_rows: Option<usize>,
}

/// What a statement did.
#[derive(Debug)]
pub(crate) struct Done {
    /// What kind it was.
    pub(crate) kind: StatementKind,
    /// Rows returned, or changed where the statement tells.
    pub(crate) rows: u64,
    /// Rows returned but not shown.
    pub(crate) left_out: u64,
    /// From the text to the last row.
    pub(crate) elapsed: Duration,
    /// Lines of JSON that were left out, for they do not parse.
    lines_skipped: usize,
    /// Values of JSON that were read as NULL, for they do not fit.
    values_nulled: usize,
    /// Bytes that did not fit into memory.
    bytes_spilled: usize,
}

/// Plans and runs `sql`, and writes its rows to what `destination` opens for the first result.
pub(crate) async fn run(
    session: &Session,
    sql: &str,
    rendering: Rendering,
    destination: &mut Destination,
) -> Result<Done> {
    let start = Instant::now();
    let query = session.query(sql).await.map_err(|error| Failure::of_statement(&error))?;
    let (kind, report) = (query.kind(), query.report());
    let stream = query.execute().await.map_err(|error| Failure::of_statement(&error))?;
    let (rows, left_out) = match kind {
        StatementKind::Query => write_rows(stream, rendering, destination).await?,
        StatementKind::Change | StatementKind::Setting => (changed_rows(stream).await?, 0),
    };
    Ok(Done {
        kind,
        rows,
        left_out,
        elapsed: start.elapsed(),
        lines_skipped: report.lines_skipped(),
        values_nulled: report.values_nulled(),
        bytes_spilled: report.bytes_spilled(),
    })
}

async fn write_rows(
    stream: SendableRecordBatchStream,
    rendering: Rendering,
    destination: &mut Destination,
) -> Result<(u64, u64)> {
    let progress = progress(rendering.format, destination);
    let schema = stream.schema();
    let mut batches = in_background(stream);
    let written = async {
        // A query that fails before its first row leaves no header behind.
        let mut next = batches.recv().await.transpose()?;
        let mut writer = output::writer(rendering.format, schema, rendering.max_rows, destination)?;
        let mut rows = 0;
        while let Some(batch) = next {
            rows += count(&batch);
            progress.set_position(rows);
            writer.write(&batch)?;
            next = batches.recv().await.transpose()?;
        }
        progress.finish_and_clear();
        Ok((rows, writer.finish()?))
    }
    .await;
    progress.finish_and_clear();
    written.map_err(|failure| destination.broken().unwrap_or(failure))
}

/// Rows are made on another task, so that an interrupt is heard while an operator is busy.
fn in_background(mut stream: SendableRecordBatchStream) -> mpsc::Receiver<Result<RecordBatch>> {
    let (sender, receiver) = mpsc::channel(2);
    let last = sender.clone();
    let work = tokio::spawn(async move {
        let rows = async {
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| Failure::of_statement(&EngineError::from(error)));
                let last = batch.is_err();
                if sender.send(batch).await.is_err() || last {
                    break;
                }
            }
        };
        tokio::select! {
            () = rows => {}
            () = sender.closed() => {}
        }
    });
    // Rows that end because a task died are no whole answer.
    tokio::spawn(async move {
        if work.await.is_err_and(|error| error.is_panic()) {
            last.send(Err(defect::failure())).await.ok();
        }
    });
    receiver
}

async fn changed_rows(stream: SendableRecordBatchStream) -> Result<u64> {
    let mut changed = 0;
    let mut batches = in_background(stream);
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        if let Some(counts) = batch
            .column_by_name("count")
            .and_then(|column| column.as_any().downcast_ref::<UInt64Array>().cloned())
        {
            changed += counts.iter().flatten().sum::<u64>();
        }
    }
    Ok(changed)
}

/// A line on standard error that tells how far the rows are, where it disturbs nothing.
fn progress(format: Format, destination: &Destination) -> ProgressBar {
    let disturbs = destination.is_terminal() && format != Format::Table;
    if disturbs || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows, {elapsed}, Ctrl-C cancels") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn count(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}

impl Done {
    /// What happened, for a person.
    pub(crate) fn summary(&self) -> String {
        match self.kind {
            StatementKind::Query if self.left_out > 0 => format!(
                "{} rows, the last {} of them not shown",
                HumanCount(self.rows),
                HumanCount(self.left_out)
            ),
            StatementKind::Query if self.rows == 1 => "1 row".to_owned(),
            StatementKind::Query => format!("{} rows", HumanCount(self.rows)),
            StatementKind::Change if self.rows > 0 => format!("done, {} rows", HumanCount(self.rows)),
            StatementKind::Change | StatementKind::Setting => "done".to_owned(),
        }
    }

    /// What happened, how long it took, and what went through the disk.
    pub(crate) fn cost(&self) -> String {
        let spilled = match self.bytes_spilled {
            0 => String::new(),
            bytes => {
                format!(", {} spilled to disk", HumanBytes(u64::try_from(bytes).unwrap_or(u64::MAX)))
            }
        };
        format!("{} in {:.3} s{spilled}", self.summary(), self.elapsed.as_secs_f64())
    }

    /// What of the files is missing from the answer, a line each; empty when nothing is.
    pub(crate) fn gaps(&self) -> String {
        let count = |count: usize| HumanCount(u64::try_from(count).unwrap_or(u64::MAX)).to_string();
        let mut text = String::new();
        if self.lines_skipped > 0 {
            let lines = if self.lines_skipped == 1 { "line" } else { "lines" };
            text.push_str(&format!(
                "{} {lines} of JSON left out: what is there does not parse\n",
                count(self.lines_skipped)
            ));
        }
        if self.values_nulled > 0 {
            let values = if self.values_nulled == 1 { "value" } else { "values" };
            text.push_str(&format!(
                "{} {values} of JSON read as NULL: what is there does not fit its column\n",
                count(self.values_nulled)
            ));
        }
        text
    }
}
