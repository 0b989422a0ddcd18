//! Little memory: what does not fit goes through the disk, or the query ends with a sentence.

use arrow::util::pretty::pretty_format_batches;
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal};

/// On two threads.
async fn ask(memory: usize, sql: &str) -> Result<String, EngineError> {
    let options =
        EngineOptions { memory_limit: Some(memory), target_partitions: Some(2), ..EngineOptions::default() };
    let session = Engine::open(options).await?.session(Principal::local())?;
    let rows = session.query(sql).await?.collect().await?;
    Ok(pretty_format_batches(&rows).expect("text").to_string())
}

/// Each sort keeps memory for merging from its first row on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sorts_share_little_memory() {
    let places: Vec<String> =
        (2..42).map(|order| format!("row_number() OVER (ORDER BY value % {order}, value)")).collect();
    let sql = format!(
        "SELECT sum(place) AS s FROM (SELECT {} AS place FROM generate_series(1, 100))",
        places.join(" + ")
    );
    assert_eq!(ask(32 << 20, &sql).await.unwrap(), ask(4 << 30, &sql).await.unwrap());
}

/// Two sides of 24 MiB each, and a condition that only a nested loop can look at.
fn nested_loop(kind: &str) -> String {
    let side = "(SELECT value, max(repeat('x', 500000)) AS t FROM generate_series(1, 48) GROUP BY value)";
    format!(
        "SELECT count(*) AS n FROM {side} a {kind} {side} b ON a.value < b.value AND length(a.t) <= length(b.t)"
    )
}

/// Where it would give rows twice, there is an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_loop_never_answers_wrongly() {
    for kind in ["LEFT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "RIGHT JOIN"] {
        let sql = nested_loop(kind);
        let expected = ask(4 << 30, &sql).await.unwrap();
        match ask(32 << 20, &sql).await {
            Ok(given) => assert_eq!(given, expected, "{kind}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Limit, "{kind}: {error}");
                assert!(error.to_string().contains("raise the limit with --memory"), "{kind}: {error}");
            }
        }
    }
}
