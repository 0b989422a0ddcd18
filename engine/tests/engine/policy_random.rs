//! Random queries and broken policy files, the same in every run.
//!
//! Under a policy a query answers what it answers, without one, on a copy that was filtered and masked before.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal, Session};

use crate::support::{Random, TestLake, ask, int64, text};

const ROWS: usize = 400;
const QUERIES: usize = 250;
const BROKEN: usize = 600;

const POLICY: &str = r#"{
  "tags": [{"tag": "secret", "column": "hidden"}],
  "tenants": [{"user": "lin", "table": "t", "filter": "name <> 'n3'"}],
  "tables": [{"user": "lin", "schema": "tax", "table": "t", "privileges": ["SELECT"], "filter": "a % 7 <> 3",
              "columns": [{"name": "b", "mask": "CASE WHEN b > 50 THEN NULL ELSE b END"}]}]
}"#;

fn value(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 3 } else { 6 }) {
        0 | 1 => random.one_of(&["a", "b"]).to_owned(),
        2 => random.below(100).to_string(),
        3 => format!("coalesce({}, {})", value(random, depth - 1), value(random, depth - 1)),
        4 => format!("CASE WHEN {} THEN {} END", condition(random, depth - 1), value(random, depth - 1)),
        _ => {
            let operator = random.one_of(&["+", "-", "*"]);
            format!("({} {operator} {})", value(random, depth - 1), value(random, depth - 1))
        }
    }
}

fn condition(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 8 }) {
        0 => format!("name = 'n{}'", random.below(6)),
        1 => format!("name LIKE '%{}'", random.below(6)),
        2 => format!("{} IS NULL", random.one_of(&["a", "b", "name"])),
        3 | 4 => {
            let comparison = random.one_of(&["=", "<>", "<", ">=", "IS DISTINCT FROM"]);
            let depth = depth.saturating_sub(1);
            format!("{} {comparison} {}", value(random, depth), value(random, depth))
        }
        5 => format!("NOT ({})", condition(random, depth - 1)),
        6 => format!("a IN (SELECT b FROM tax.t WHERE {})", condition(random, depth - 1)),
        _ => {
            let both = random.one_of(&["AND", "OR"]);
            format!("({} {both} {})", condition(random, depth - 1), condition(random, depth - 1))
        }
    }
}

fn query(random: &mut Random) -> String {
    let (value, condition) = (value(random, 2), condition(random, 2));
    match random.below(6) {
        0 => format!("SELECT a, b, name, {value} AS v FROM tax.t WHERE {condition}"),
        1 => {
            format!("SELECT * FROM tax.t WHERE {condition} ORDER BY a, b, name LIMIT {}", random.below(20))
        }
        2 => format!(
            "SELECT name, count(*), count(b), sum({value}), min(a), max(b) FROM tax.t WHERE {condition} GROUP BY name"
        ),
        3 => format!(
            "SELECT name, sum(b) AS s FROM tax.t GROUP BY name HAVING count(*) > {} OR max(b) > 50",
            random.below(80)
        ),
        4 => format!(
            "SELECT count(*), sum(x.a), sum(y.b) FROM tax.t x JOIN (SELECT * FROM tax.t WHERE {condition}) y ON x.a = y.b"
        ),
        _ => format!("SELECT name, a, 100 / (b - {}) AS v FROM tax.t WHERE {condition}", random.below(60)),
    }
}

type Row = (i64, Option<i64>, Option<String>);

fn rows() -> Vec<Row> {
    let mut random = Random(7);
    (0..ROWS)
        .map(|_| {
            let a = i64::try_from(random.below(100)).unwrap();
            let b = Some(i64::try_from(random.below(100)).unwrap()).filter(|_| random.below(8) > 0);
            let name = random.below(7);
            (a, b, (name < 6).then(|| format!("n{name}")))
        })
        .collect()
}

fn write(lake: &TestLake, rows: &[Row], hidden: bool) {
    let names: ArrayRef = Arc::new(rows.iter().map(|row| row.2.as_deref()).collect::<StringArray>());
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("a", int64(&rows.iter().map(|row| row.0).collect::<Vec<_>>())),
        ("b", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
        ("name", names),
    ];
    if hidden {
        columns.push(("hidden", text(&vec!["h"; rows.len()])));
    }
    lake.parquet("tax/t/a.parquet", &columns);
}

async fn open(lake: &TestLake, policy: Option<PathBuf>) -> Result<Arc<Engine>, EngineError> {
    let lake = Some(lake.root().to_str().unwrap().parse().unwrap());
    Engine::open(EngineOptions { lake, policy, ..EngineOptions::default() }).await
}

async fn told(session: &Session, sql: &str) -> String {
    match ask(session, sql).await {
        Ok(rows) => {
            let mut lines: Vec<&str> = rows.lines().collect();
            lines.sort_unstable();
            // Without rows there may be a batch that shows the columns, or none.
            if lines.len() <= 4 { "no rows".to_owned() } else { lines.join("\n") }
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

#[tokio::test]
async fn a_random_query_answers_as_on_a_copy_of_what_is_permitted() {
    let (whole, copy) = (TestLake::new(), TestLake::new());
    write(&whole, &rows(), true);
    let permitted: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.0 % 7 != 3 && row.2.as_deref().is_some_and(|name| name != "n3"))
        .map(|row| (row.0, row.1.filter(|b| *b <= 50), row.2))
        .collect();
    assert!(permitted.len() > ROWS / 2 && permitted.len() < ROWS);
    write(&copy, &permitted, false);
    whole.write("policy.json", POLICY);
    let governed = open(&whole, Some(whole.root().join("policy.json"))).await.unwrap();
    let governed = governed.session(Principal::from("lin")).unwrap();
    let free = open(&copy, None).await.unwrap().session(Principal::local()).unwrap();
    let mut random = Random(42);
    let (mut answered, mut different) = (0, Vec::new());
    for _ in 0..QUERIES {
        let sql = query(&mut random);
        let answers = (told(&governed, &sql).await, told(&free, &sql).await);
        answered += usize::from(answers.1.contains('|'));
        if answers.0 != answers.1 {
            different.push(format!("{sql}\n{}\n--- on the copy:\n{}", answers.0, answers.1));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n\n"));
    assert!(answered > QUERIES / 2, "only {answered} of {QUERIES} had rows");
}

/// Bytes changed, left out and put twice: the file is understood or refused in a sentence.
#[tokio::test]
async fn a_broken_policy_is_refused_or_understood() {
    let lake = TestLake::new();
    write(&lake, &rows(), true);
    let mut random = Random(1);
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..BROKEN {
        let mut bytes = POLICY.as_bytes().to_vec();
        for _ in 0..=random.below(2) {
            let place = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[place] ^= 1 << random.below(8),
                1 => bytes.truncate(place.max(1)),
                2 => drop(bytes.remove(place)),
                _ => bytes.insert(place, bytes[random.below(bytes.len())]),
            }
        }
        lake.write("policy.json", &bytes);
        match open(&lake, Some(lake.root().join("policy.json"))).await {
            Ok(engine) => {
                engine.policy_problems().await.unwrap();
                // What is tagged stays hidden unless the tag itself is another.
                let stranger = engine.session(Principal::from("stranger")).unwrap();
                let shown = ask(&stranger, "SELECT hidden FROM tax.t").await.unwrap_err();
                assert!(matches!(
                    shown.kind(),
                    ErrorKind::NotFound | ErrorKind::NotAllowed | ErrorKind::Usage
                ));
                understood += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
                assert!(error.to_string().contains("policy.json"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(understood > 20 && refused > 200, "{understood} understood, {refused} refused");
}
