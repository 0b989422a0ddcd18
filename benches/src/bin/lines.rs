//! Answers statements one line at a time, in this process, for comparisons that take turns between engines.
//!
//! `cargo run --release -p tithe-benches --bin lines -- LAKE [THREADS [SCHEMA]]`
//!
//! A line in: `{"sql": "…", "into": "FILE" or null}`; a line out: `{"seconds": …, "rows": …}`, or `{"error": "…"}`. The time is that from the
//! text to the last row in memory. With `into`, the rows are then written to FILE as an Arrow IPC stream. Tables without a schema are looked up in SCHEMA.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use serde::Deserialize;
use serde_json::json;
use tithe_benches as _;
use tithe_engine::{Engine, EngineOptions, Principal};

#[derive(Deserialize)]
struct Statement {
    sql: String,
    into: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lake = arguments.next().ok_or("usage: lines LAKE [THREADS]")?;
    let threads = arguments.next().map(|text| text.parse()).transpose()?;
    let schema = arguments.next();
    let options =
        EngineOptions { lake: Some(lake.parse()?), target_partitions: threads, ..EngineOptions::default() };
    let engine = Engine::open(options).await?;
    for line in stdin().lock().lines() {
        let statement: Statement = serde_json::from_str(&line?)?;
        let answer = match answer(&engine, schema.as_deref(), &statement).await {
            Ok((seconds, rows)) => json!({"seconds": seconds, "rows": rows}),
            Err(error) => json!({"error": error.to_string()}),
        };
        writeln!(stdout(), "{answer}")?;
        stdout().flush()?;
    }
    Ok(())
}

async fn answer(
    engine: &Arc<Engine>,
    schema: Option<&str>,
    statement: &Statement,
) -> Result<(f64, usize), Box<dyn Error>> {
    let since = Instant::now();
    let session = engine.session(Principal::local())?;
    if let Some(schema) = schema {
        let set = format!("SET datafusion.catalog.default_schema = '{schema}'");
        session.query(&set).await?.collect().await?;
    }
    let query = session.query(&statement.sql).await?;
    let schema = query.schema();
    let batches = query.collect().await?;
    let seconds = since.elapsed().as_secs_f64();
    if let Some(path) = &statement.into {
        let mut writer = StreamWriter::try_new(File::create(path)?, &schema)?;
        for batch in &batches {
            writer.write(batch)?;
        }
        writer.finish()?;
    }
    Ok((seconds, batches.iter().map(RecordBatch::num_rows).sum()))
}
