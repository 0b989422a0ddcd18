//! `influencer_income` through SQL.

#![cfg(test)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

#[expect(clippy::disallowed_methods, reason = "functions are tested without the engine")]
fn session() -> Result<SessionContext> {
    let mut context = SessionContext::new();
    tithe_udfs::register_all(&mut context)?;
    Ok(context)
}

async fn run(sql: &str) -> Result<String> {
    let batches = session()?.sql(sql).await?.collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

async fn refused(sql: &str, expected: &str) {
    let outcome = match session() {
        Ok(context) => context.sql(sql).await.map(|_| ()),
        Err(error) => Err(error),
    };
    let text = outcome.map_err(|error| error.strip_backtrace());
    assert!(text.as_ref().is_err_and(|text| text.contains(expected)), "{sql}\n{text:?}\nwanted {expected}");
}

#[tokio::test]
async fn wrong_calls_are_refused_when_planned() {
    let call = |arguments: &str| format!("SELECT influencer_income({arguments})");
    refused(
        &call("named_struct('follower', 5)"),
        "influencer_income: evidence has no field 'follower'; did you mean 'followers'?",
    )
    .await;
    refused(&call("named_struct('followers', 'many')"), "'followers' takes a number, got Utf8").await;
    refused(&call("named_struct('seen_deal_amounts', 5)"), "takes a list of numbers").await;
    refused(&call("named_struct('donation_signal', 5)"), "takes a boolean").await;
    refused(&call("named_struct('year', 2025.5)"), "takes an integer").await;
    refused(&call("5"), "evidence takes a STRUCT").await;
    refused(&call(""), "takes 1 to 4 arguments").await;
    refused(&call("NULL, 4096, 0, true, 1"), "takes 1 to 4 arguments").await;
    refused(&call("named_struct('followers', 5), 63"), "draws must be from 64 to 65536, got 63").await;
    refused(&call("named_struct('followers', 5), draws => 65537"), "got 65537").await;
    refused(&call("named_struct('followers', 5), draws => -64"), "got -64").await;
    refused(&call("named_struct('followers', 5), 4096, 'x'"), "seed takes a literal integer").await;
    refused(
        "SELECT influencer_income(named_struct('followers', 5), d) FROM (VALUES (4096)) AS t(d)",
        "draws takes a literal integer, not a column",
    )
    .await;
}

fn creators(rows: u32) -> Result<RecordBatch> {
    let ids: ArrayRef =
        Arc::new((0..rows).map(|i| (i % 11 != 5).then(|| format!("UC{i}"))).collect::<StringArray>());
    let followers: ArrayRef =
        Arc::new((0..rows).map(|i| Some(500 + 977 * i64::from(i))).collect::<Int64Array>());
    let declared: ArrayRef = Arc::new(
        (0..rows).map(|i| (i % 3 == 0).then(|| 20_000.0 * f64::from(i + 1))).collect::<Float64Array>(),
    );
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("channel_id", ids, true),
        ("followers", followers, true),
        ("declared_income", declared, true),
    ])?)
}

/// The answers, one line a creator, over these partitions of batches of these sizes.
async fn answers(partitions: usize, batch: usize, threads: usize) -> Result<String> {
    let all = creators(120)?;
    let mut parts = vec![Vec::new(); partitions];
    for (position, start) in (0..all.num_rows()).step_by(batch).enumerate() {
        parts[position % partitions].push(all.slice(start, batch.min(all.num_rows() - start)));
    }
    let mut context = SessionContext::new_with_config(
        SessionConfig::new().with_target_partitions(threads).with_batch_size(batch),
    );
    tithe_udfs::register_all(&mut context)?;
    context.register_table("creator", Arc::new(MemTable::try_new(all.schema(), parts)?))?;
    let sql = "SELECT followers, influencer_income(named_struct('declared_income', declared_income, 'channel_id', \
               channel_id, 'followers', followers, 'year', 2025), draws => 256) AS e FROM creator ORDER BY followers";
    let batches = context.sql(sql).await?.collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_depend_on_no_batch_partition_or_thread() -> Result<()> {
    let expected = answers(1, 120, 1).await?;
    assert!(expected.lines().count() > 120);
    for (partitions, batch, threads) in [(1, 1, 1), (4, 7, 4), (8, 13, 3)] {
        assert_eq!(answers(partitions, batch, threads).await?, expected, "{partitions} of {batch}");
    }
    Ok(())
}

#[tokio::test]
async fn bad_values_flag_their_row_alone() -> Result<()> {
    let table = run("SELECT n, e['flags'] AS flags, e['p50'] > 0 AS estimated, e['undeclared_p10'] IS NULL AS silent FROM \
         (SELECT n, influencer_income(named_struct('channel_id', n, 'followers', f, 'declared_income', d), 64) AS e \
         FROM (VALUES ('good', 20000.0, 1000.0), ('negative', -5.0, 1000.0), ('nan', CAST('NaN' AS DOUBLE), NULL), \
         ('infinite', 20000.0, CAST('Infinity' AS DOUBLE)), ('absent', NULL, NULL)) AS t(n, f, d)) ORDER BY n")
    .await?;
    for (name, flagged) in
        [("good", false), ("negative", true), ("nan", true), ("infinite", true), ("absent", false)]
    {
        let line = table.lines().find(|line| line.contains(&format!("| {name} "))).unwrap_or_default();
        assert!(line.contains("| true "), "{name}: {table}");
        assert_eq!(line.contains("bad_evidence"), flagged, "{name}: {table}");
    }
    Ok(())
}

#[tokio::test]
async fn a_minor_is_flagged_and_not_estimated() -> Result<()> {
    let table =
        run("SELECT e['p50'] IS NULL AS silent, e['components'] IS NULL AS whole, e['flags'] AS flags FROM \
         (SELECT influencer_income(named_struct('followers', 90000, 'is_minor', true)) AS e)")
        .await?;
    assert!(table.contains("| true   | true  | [minor_excluded] |"), "{table}");
    Ok(())
}

#[tokio::test]
async fn numbers_of_any_type_and_columns_of_any_text_count() -> Result<()> {
    let of = |followers: &str| {
        format!(
            "SELECT influencer_income(named_struct('channel_id', arrow_cast('UC1', 'Utf8View'), 'followers', {followers})) AS e"
        )
    };
    let expected = run(&of("20000")).await?;
    for followers in [
        "20000.0",
        "CAST(20000 AS DECIMAL(20, 2))",
        "arrow_cast(20000, 'UInt16')",
        "arrow_cast(20000, 'Float32')",
    ] {
        assert_eq!(run(&of(followers)).await?, expected, "{followers}");
    }
    Ok(())
}
