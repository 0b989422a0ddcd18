//! The status page, asked over HTTP as a browser and others would, and in Chromium.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tempfile::TempDir;
use tithe_engine::{Engine, EngineOptions};
use tithe_testkit::{browser_or_skip, sample_lake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::clients;
use crate::login::{USERS, logged_in, users_file};
use crate::support::{Client, ENDLESS, Server, ticket};

/// What `<wang>` and `林小美` ask: 林小美 audits, and does not see the statements of everybody.
const POLICY: &str = r#"{
  "groups": [{"group": "南區國稅局", "users": ["wang"]}],
  "roles": [{"role": "auditor", "users": ["林小美"]}],
  "tables": [
    {"role": "auditor", "schema": "audit", "table": "query", "privileges": ["SELECT"],
     "filter": "NOT array_has(tables, 'tax.taxpayer')", "columns": [{"name": "error", "allow": false}]},
    {"user": "wang", "schema": "tax", "table": "taxpayer", "privileges": ["SELECT"], "filter": "county_code = '63000'",
     "columns": [{"name": "name", "mask": "left(name, 1)"}, {"name": "industry_code", "allow": false}]},
    {"user": "wang", "schema": "tax", "table": "vat_return", "privileges": ["SELECT"],
     "minimum_group": {"key": "ban", "size": 5, "dimensions": ["period"]}},
    {"schema": "ref", "privileges": ["SELECT"]}
  ]
}"#;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request as it is.
async fn send(address: SocketAddr, start: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{start} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request.push_str(&format!("Host: 127.0.0.1:{}\r\n", address.port()));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = match head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        true => panic!("the answer comes in chunks: {head}"),
        false => body.to_owned(),
    };
    Answer { status, head: head.to_owned(), body }
}

fn basic((name, password): (&str, &str)) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

async fn get(address: SocketAddr, path: &str, user: (&str, &str)) -> Answer {
    send(address, &format!("GET {path}"), &[("Authorization", &basic(user))], "").await
}

async fn guarded(folder: &TempDir) -> Server {
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, POLICY).unwrap();
    let users = users_file(folder);
    let engine = Engine::open(EngineOptions {
        lake: Some(sample_lake().to_str().unwrap().parse().unwrap()),
        target_partitions: Some(2),
        policy: Some(policy),
        audit: Some(folder.path().join("audit")),
        ..EngineOptions::default()
    });
    Server::of(engine.await.unwrap(), |options| {
        options.users = Some(users);
        options.operations = Some(([127, 0, 0, 1], 0).into());
    })
    .await
}

/// Begins to fetch `sql` and does not stop.
async fn running(client: &Client, sql: &str) -> tokio::task::JoinHandle<Code> {
    let info = client.query_info(sql).await.unwrap();
    let client = client.clone();
    tokio::spawn(async move {
        client.messages(ticket(&info)).await.map_or_else(|status| status.code(), |_| Code::Ok)
    })
}

/// The rows of `list` that `user` sees, once there are `count`.
async fn listed(address: SocketAddr, user: (&str, &str), list: &str, count: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    for _ in 0..500 {
        let answer = get(address, "/status/queries.json", user).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        rows = answer.json()[list].as_array().unwrap().clone();
        if rows.len() == count {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{list} has not {count} rows for {}: {rows:#?}", user.0);
}

/// The one query of `user` that runs, once the engine has said what it is about.
async fn planned(address: SocketAddr, user: (&str, &str)) -> Value {
    let mut row = Value::Null;
    for _ in 0..500 {
        row = listed(address, user, "running", 1).await.remove(0);
        if row.get("groups").is_some() {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the query of {} is not planned: {row:#?}", user.0);
}

const MARKED: &str =
    "SELECT max(value % 7) AS \"<script>稅</script>\" FROM generate_series(1, 1000000000000)";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_anything_before_they_are_known() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let wrong = basic(("wang", "wrong"));
    for path in [
        "/status",
        "/status/queries.json",
        "/status/catalog",
        "/status/catalog.json",
        "/status/catalog/ref/county",
    ] {
        let refused = send(address, &format!("GET {path}"), &[], "").await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"tithe\", charset=\"UTF-8\""));
        assert!(!refused.body.contains("county"), "{}", refused.body);
    }
    let refused = send(address, "GET /status", &[("Authorization", &wrong)], "").await;
    assert_eq!(refused.status, 401);
    let killed = send(address, "POST /status/kill", &[], "").await;
    assert_eq!(killed.status, 401);
    assert_eq!(send(address, "GET /status/kill", &[], "").await.status, 405);
    // The token of a login on the other port.
    let mut client = Client::new(server.channel().await);
    client.sql.handshake(USERS[0].0, USERS[0].1).await.unwrap();
    let bearer = format!("Bearer {}", client.sql.token().unwrap());
    let answer = send(address, "GET /status/queries.json", &[("Authorization", &bearer)], "").await;
    assert_eq!(answer.json()["user"], "wang");
    // Health and metrics stay for whoever asks.
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(send(address, &format!("GET {path}"), &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_users_only_the_names_of_this_machine_are_answered() {
    let server = Server::with(|options| options.operations = Some(([127, 0, 0, 1], 0).into())).await;
    let address = server.operations.unwrap();
    server.client().await.query("SELECT 7 AS n").await.unwrap();
    let answer = send(address, "GET /status/queries.json", &[], "").await;
    assert_eq!((answer.status, answer.json()["user"].as_str()), (200, Some("local")));
    assert_eq!(answer.json()["ended"][0]["sql"], "SELECT 7 AS n");
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example"] {
        let refused = send(address, "GET /status/queries.json", &[("Host", host)], "").await;
        assert_eq!(refused.status, 403, "{host}");
        assert!(!refused.body.contains("SELECT"), "{}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_their_own_and_an_auditor_what_the_policy_shows_of_the_audit() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let (wang, lin) = (USERS[0], USERS[1]);
    let asks = logged_in(server.channel().await, wang).await;
    let audits = logged_in(server.channel().await, lin).await;
    asks.query("SELECT count(*) FROM ref.county").await.unwrap();
    asks.query("SELECT count(*) FROM tax.taxpayer").await.unwrap();
    asks.refusal("SELECT 1 / (value - value) FROM generate_series(1, 3)").await;
    audits.query("SELECT '臺北' AS own").await.unwrap();
    let endless = running(&asks, ENDLESS).await;

    let own = planned(address, wang).await;
    assert_eq!(own["sql"], ENDLESS);
    assert_eq!(own["outcome"], "running");
    assert!(own["run"].is_string() && own["groups"][0] == "南區國稅局", "{own:?}");
    let ended = listed(address, wang, "ended", 3).await;
    let told: Vec<_> =
        ended.iter().map(|row| (row["outcome"].as_str().unwrap(), row["rows"].as_u64().unwrap())).collect();
    assert_eq!(told, [("failed", 0), ("done", 1), ("done", 1)]);
    assert_eq!(ended[0]["error"], "division by zero");
    assert_eq!(ended[1]["tables"][0], "tax.taxpayer");

    // The rule's filter leaves out the query on taxpayers, and its columns the error.
    let seen = listed(address, lin, "ended", 3).await;
    let told: Vec<_> =
        seen.iter().map(|row| (row["who"].as_str().unwrap(), row["sql"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("林小美", "SELECT '臺北' AS own"),
            ("wang", "SELECT 1 / (value - value) FROM generate_series(1, 3)"),
            ("wang", "SELECT count(*) FROM ref.county"),
        ]
    );
    assert!(seen[0]["run"].is_string());
    assert!(seen[1].get("run").is_none() && seen[1].get("error").is_none(), "{seen:?}");
    let others = listed(address, lin, "running", 1).await;
    assert_eq!((others[0]["who"].as_str(), others[0]["outcome"].as_str()), (Some("wang"), Some("running")));
    // Nor the plan of another's query, nor its end.
    let run = own["run"].as_str().unwrap();
    assert_eq!(get(address, &format!("/status/query/{run}"), lin).await.status, 404);
    assert_eq!(get(address, &format!("/status/query/{run}.json"), lin).await.status, 404);
    let page = get(address, "/status", lin).await.body;
    assert!(page.contains("generate_series") && !page.contains("/status/kill"), "{page}");
    assert!(!page.contains("tax.taxpayer") && !page.contains("division by zero"), "{page}");
    endless.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_rule_makes_an_auditor_sees_nothing_of_others() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let audits = logged_in(server.channel().await, USERS[1]).await;
    audits.query("SELECT '秘密' AS secret").await.unwrap();
    let endless = running(&audits, ENDLESS).await;
    planned(address, USERS[1]).await;
    let answer = get(address, "/status/queries.json", USERS[0]).await;
    assert_eq!(
        (&answer.json()["running"], &answer.json()["ended"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert!(!get(address, "/status", USERS[0]).await.body.contains("林小美"));
    endless.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_its_owner_s_and_shows_nothing_below_the_policy() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let wang = logged_in(server.channel().await, USERS[0]).await;
    wang.query("SELECT name_zh FROM ref.county WHERE county_code = '63000'").await.unwrap();
    wang.query("SELECT count(*) FROM tax.taxpayer").await.unwrap();
    let ended = listed(address, USERS[0], "ended", 2).await;
    let one = async |row: &Value| {
        get(address, &format!("/status/query/{}.json", row["run"].as_str().unwrap()), USERS[0]).await.json()
    };
    let whole = one(&ended[1]).await["operators"].to_string();
    assert!(whole.contains("DataSourceExec") && whole.contains("output_rows="), "{whole}");
    let partly = one(&ended[0]).await["operators"].to_string();
    assert_eq!(
        partly,
        "\"the plan is not allowed: it would show rules and row counts of a table that you see in part\""
    );
    let page =
        get(address, &format!("/status/query/{}", ended[0]["run"].as_str().unwrap()), USERS[0]).await.body;
    assert!(page.contains("table that you see in part") && !page.contains("DataSourceExec"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_ended_by_its_owner_from_its_own_page_alone() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let wang = logged_in(server.channel().await, USERS[0]).await;
    let endless = running(&wang, MARKED).await;
    let row = planned(address, USERS[0]).await;
    let run = row["run"].as_str().unwrap();
    let page = get(address, "/status", USERS[0]).await.body;
    assert!(page.contains("&lt;script&gt;稅&lt;/script&gt;") && !page.contains("<script"), "{page}");
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("run={run}&token={token}");
    let (own, others) = (basic(USERS[0]), basic(USERS[1]));
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    let kill = async |headers: &[(&str, &str)], form: &str| {
        send(address, "POST /status/kill", headers, form).await.status
    };
    let authorized = ("Authorization", own.as_str());
    for (headers, form, expected) in [
        (vec![authorized, form_type], format!("run={run}"), 403),
        (vec![authorized, form_type], format!("run={run}&token=AAAA"), 403),
        (vec![authorized, form_type], format!("run={}&token={token}", uuid::Uuid::new_v4()), 403),
        (vec![("Authorization", others.as_str()), form_type], form.clone(), 403),
        (vec![authorized, form_type, ("Sec-Fetch-Site", "cross-site")], form.clone(), 403),
        (vec![authorized, form_type, ("Origin", "https://evil.example")], form.clone(), 403),
        (vec![authorized, ("Content-Type", "text/plain")], form.clone(), 403),
        (vec![authorized, form_type], "x".repeat(5_000), 413),
    ] {
        assert_eq!(kill(&headers, &form).await, expected, "{headers:?} {form:.80}");
    }
    assert_eq!(send(address, &format!("GET /status/kill?{form}"), &[authorized], "").await.status, 405);
    assert!(!endless.is_finished());
    listed(address, USERS[0], "running", 1).await;
    assert_eq!(kill(&[authorized, form_type, ("Sec-Fetch-Site", "same-origin")], &form).await, 303);
    assert_eq!(endless.await.unwrap(), Code::Cancelled);
    let ended = listed(address, USERS[0], "ended", 1).await;
    assert_eq!(ended[0]["outcome"], "cancelled");
    assert_eq!(kill(&[authorized, form_type], &form).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_is_what_the_viewer_may_see_and_names_no_rule() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let wang = get(address, "/status/catalog.json", USERS[0]).await.json();
    let rows: Vec<_> = wang["tables"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|table| table["schema"] != "ref")
        .map(|table| {
            format!(
                "{} {} {}",
                table["table"].as_str().unwrap(),
                table["rows"].as_str().unwrap(),
                table["privileges"]
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "taxpayer some, by rule [\"SELECT\"]",
            "vat_return groups of at least 5 of ban in each combination of period [\"SELECT\"]",
        ]
    );
    assert_eq!((&wang["groups"][0], wang["policy"].is_string()), (&Value::from("南區國稅局"), true));
    let table = get(address, "/status/catalog/tax/taxpayer", USERS[0]).await;
    assert_eq!(table.status, 200);
    assert!(table.body.contains("masked") && table.body.contains("county_code"), "{}", table.body);
    assert!(!table.body.contains("industry_code") && !table.body.contains("63000"), "{}", table.body);
    assert!(!table.body.contains("left("), "{}", table.body);
    for (user, hidden) in
        [(USERS[1], "/status/catalog/tax/taxpayer"), (USERS[0], "/status/catalog/truth/link")]
    {
        let unknown = get(address, hidden, user).await;
        let nothing = get(address, "/status/catalog/no/thing", user).await;
        assert_eq!((unknown.status, nothing.status), (404, 404), "{hidden}");
    }
    let lin = get(address, "/status/catalog.json", USERS[1]).await.json();
    assert!(lin["tables"].as_array().unwrap().iter().any(|table| table["schema"] == "audit"), "{lin}");
    assert!(lin["tables"].as_array().unwrap().iter().all(|table| table["schema"] != "tax"), "{lin}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_other_sites_out() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    for path in [
        "/status",
        "/status/queries.json",
        "/status/catalog",
        "/status/style.css",
        "/status/query/none",
        "/status/catalog/no/%3Cscript%3E",
    ] {
        let answer = get(address, path, USERS[0]).await;
        assert_eq!(
            answer.header("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(
            !answer.body.contains("<script") && !answer.body.contains("style="),
            "{path}: {}",
            answer.body
        );
    }
}

/// `TITHE_SCREENSHOTS=FOLDER` keeps what the browser shows.
#[tokio::test(flavor = "multi_thread")]
async fn it_works_in_chromium() {
    let Some(browser) = browser_or_skip("it_works_in_chromium") else { return };
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let address = server.operations.unwrap();
    let wang = logged_in(server.channel().await, USERS[0]).await;
    wang.query("SELECT name_zh AS 縣市, count(*) AS 家數 FROM ref.county GROUP BY 1 ORDER BY 2 DESC")
        .await
        .unwrap();
    wang.query("SELECT count(*) AS 納稅義務人 FROM tax.taxpayer WHERE name LIKE '王%'").await.unwrap();
    wang.refusal("SELECT 1 / (value - value) AS 稅率 FROM generate_series(1, 3)").await;
    let endless = running(&wang, MARKED).await;
    planned(address, USERS[0]).await;
    let (name, password) = USERS[0];
    let told = clients::check(
        &browser.python,
        "status_page.py",
        &[&browser.chromium, &browser.driver, &address.to_string(), name, password],
    )
    .await;
    assert_eq!(told, "ended by its owner");
    assert_eq!(endless.await.unwrap(), Code::Cancelled);
}
