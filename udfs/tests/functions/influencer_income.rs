//! `influencer_income` through SQL.

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
    refused(&call(""), "takes 1 to 5 arguments").await;
    refused(&call("NULL, 4096, 0, true, NULL, 1"), "takes 1 to 5 arguments").await;
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

/// The estimate of one channel under these priors.
fn under(priors: &str) -> String {
    format!(
        "SELECT e['p50'] IS NULL AS silent, e['flags'] AS flags, e['prior_version'] AS version, e['prior_error'] AS wrong FROM \
         (SELECT influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000), draws => 64, seed => 0, \
         explain => false, priors => {priors}) AS e)"
    )
}

fn prior(version: &str, name: &str, value: &str, unit: &str) -> String {
    format!(
        "named_struct('version', {version}, 'name', '{name}', 'key', '', 'value', {value}, 'unit', {unit})"
    )
}

#[tokio::test]
async fn literal_priors_are_checked_when_planned() -> Result<()> {
    for (priors, expected) in [
        ("5".to_owned(), "priors takes a list of STRUCT"),
        (
            "[named_struct('name', 'ads_spread', 'value', 0.5, 'unit', 'ln sd')]".to_owned(),
            "priors lacks the field 'version'",
        ),
        (
            "[named_struct('version', 't', 'name', 'ads_spread', 'value', 'a', 'unit', 'ln sd')]".to_owned(),
            "takes a number, got Utf8",
        ),
        (
            "[named_struct('version', 't', 'name', 5, 'value', 1, 'unit', 'ln sd')]".to_owned(),
            "'name' of priors takes text",
        ),
        (
            "[named_struct('version', 't', 'name', 'ads_spread', 'worth', 1)]".to_owned(),
            "priors has no field 'worth'",
        ),
        (
            format!("[{}]", prior("'t'", "ad_spread", "0.5", "'ln sd'")),
            "there is no prior 'ad_spread'; did you mean 'ads_spread'?",
        ),
        (
            format!("[{}]", prior("'t'", "ads_spread", "0.5", "CAST(NULL AS VARCHAR)")),
            "has no unit; it is in 'ln sd'",
        ),
        (
            format!("[{}]", prior("'t'", "ads_spread", "50.0", "'ln sd'")),
            "must be from 0.01 to 4 ln sd, got 50",
        ),
        (
            format!("[{}]", prior("'tithe-priors-1'", "ads_spread", "0.5", "'ln sd'")),
            "give changed priors a version of their own",
        ),
    ] {
        // Constants are folded after the first plan, and before anything runs.
        let outcome =
            async { session()?.sql(&under(&priors)).await?.into_optimized_plan().map(|_| ()) }.await;
        let text = outcome.map_err(|error| error.strip_backtrace());
        assert!(
            text.as_ref().is_err_and(|text| text.contains(expected)),
            "{priors}\n{text:?}\nwanted {expected}"
        );
    }
    let table = run(&under("NULL")).await?;
    assert!(table.contains("| tithe-priors-1 |"), "{table}");
    Ok(())
}

#[tokio::test]
async fn priors_from_data_flag_their_row() -> Result<()> {
    let list = |condition: &str| {
        format!(
            "(SELECT array_agg(named_struct('version', v, 'name', n, 'key', k, 'value', x, 'unit', u)) FROM (VALUES \
             ('trial', 'ads_spread', '', 0.5, 'ln sd'), ('trial', 'ads_factor', 'food', 2.0, 'factor'), \
             ('other', 'ads_spread', '', 0.7, 'ln sd'), ('wrong', 'ads_spread', '', -1.0, 'ln sd')) AS t(v, n, k, x, u) \
             WHERE {condition})"
        )
    };
    for (condition, expected) in [
        ("v = 'trial'", "trial"),
        ("v = 'none'", "the list of priors is empty; is there such a version?"),
        ("v = 'wrong'", "prior 'ads_spread' must be from 0.01 to 4 ln sd, got -1"),
    ] {
        let table = run(&under(&list(condition))).await?;
        assert!(table.contains(expected), "{condition}: {table}");
        assert_eq!(table.contains("bad_priors"), condition != "v = 'trial'", "{condition}: {table}");
        assert_eq!(table.contains("| true "), condition != "v = 'trial'", "{condition}: {table}");
    }
    let table = run(&under(&list("v IN ('trial', 'other')"))).await?;
    assert!(table.contains("bad_priors"), "{table}");
    Ok(())
}

/// Each row is estimated under its own priors, as if it were alone.
#[tokio::test]
async fn rows_have_priors_of_their_own() -> Result<()> {
    let lists = "(VALUES (1, [named_struct('version', 'low', 'name', 'ads_per_thousand', 'value', 17.0, 'unit', 'NT$ per 1000 views')]), \
                 (2, [named_struct('version', 'high', 'name', 'ads_per_thousand', 'value', 63.0, 'unit', 'NT$ per 1000 views')]), \
                 (3, [named_struct('version', 'low', 'name', 'ads_per_thousand', 'value', 17.0, 'unit', 'NT$ per 1000 views')])) AS t(n, p)";
    let call = |rows: &str| {
        format!(
            "SELECT n, e['prior_version'] AS version, e['components']['ads']['p50'] AS ads FROM (SELECT n, influencer_income(\
             named_struct('channel_id', 'UC1', 'followers', 80000, 'annual_views', 3000000), 256, 0, false, p) AS e \
             FROM {lists} WHERE {rows}) ORDER BY n"
        )
    };
    let line = |table: &str, n: usize| -> String {
        let line = table.lines().find(|line| line.starts_with(&format!("| {n} "))).unwrap_or_default();
        line.split_once(&format!("| {n} ")).map(|(_, rest)| rest.replace(' ', "")).unwrap_or_default()
    };
    let together = run(&call("true")).await?;
    for n in 1..=3 {
        assert_eq!(line(&together, n), line(&run(&call(&format!("n = {n}"))).await?, n), "{together}");
    }
    assert_eq!(line(&together, 1), line(&together, 3), "{together}");
    assert!(line(&together, 1) != line(&together, 2) && together.contains("high"), "{together}");
    Ok(())
}

#[tokio::test]
async fn the_worst_evidence_gives_a_flag_and_no_silent_zero() -> Result<()> {
    let table = run("SELECT n, e['p50'] > 0 AS estimated, array_to_string(e['flags'], ',') AS flags FROM (SELECT n, \
         influencer_income(named_struct('channel_id', n, 'followers', f, 'annual_views', v, 'seen_deal_amounts', d, \
         'declared_income', i), 256) AS e FROM (VALUES \
         ('no evidence', NULL, NULL, NULL, NULL), \
         ('hidden', NULL, NULL, [50000.0], 60000.0), \
         ('absurd counts', 1e18, 1e30, NULL, NULL), \
         ('negative money', 80000.0, 3e6, [-50000.0], -1.0), \
         ('many deals', 80000.0, 3e6, array_repeat(10000.0, 100000), NULL), \
         ('declared beyond', 80000.0, 3e6, NULL, 9e12), \
         ('declared absurd', 80000.0, 3e6, NULL, 1e300)) AS t(n, f, v, d, i)) ORDER BY n")
    .await?;
    for (name, flag) in [
        ("no evidence", "prior_dominated"),
        ("hidden", ""),
        ("absurd counts", "bad_evidence"),
        ("negative money", "bad_evidence"),
        ("many deals", "conflicting_evidence"),
        ("declared beyond", "tempered"),
        ("declared absurd", "bad_evidence"),
    ] {
        let line = table.lines().find(|line| line.contains(&format!("| {name} "))).unwrap_or_default();
        assert!(line.contains("| true ") && line.contains(flag), "{name}: {table}");
    }
    Ok(())
}
