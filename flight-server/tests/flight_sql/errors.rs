//! What a client reads when its query is wrong.

use insta::assert_snapshot;
use tonic::Code;

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn code_and_sentence() {
    let server = Server::start().await;
    let client = server.client().await;
    let ask = async |sql: &str| {
        let (code, message) = client.refusal(sql).await;
        format!("{code:?}: {message}")
    };
    assert_snapshot!(ask("SELECT * FROM tax.taxpayr").await, @"NotFound: table tax.taxpayr does not exist; did you mean tax.taxpayer?");
    assert_snapshot!(ask("SELECT nam FROM tax.taxpayer").await, @"NotFound: column nam does not exist; did you mean name?");
    assert_snapshot!(ask("SELECT forcast(1)").await, @"NotFound: function forcast does not exist; did you mean forecast?");
    assert_snapshot!(ask("SELECT *\nFROM tax.taxpayer\nWHER name = 'x'").await, @"InvalidArgument: syntax error at line 3, column 6: expected end of statement, found name");
    assert_snapshot!(ask("SELECT 'open").await, @"InvalidArgument: syntax error at line 1, column 8: unterminated string literal");
    assert_snapshot!(ask("SELECT 1; SELECT 2").await, @"InvalidArgument: expected one SQL statement, found 2");
    assert_snapshot!(ask("").await, @"InvalidArgument: expected one SQL statement, found 0");
    assert_snapshot!(ask("SELECT CAST('x' AS INT)").await, @"Internal: cannot cast string 'x' to value of Int32 type");
    assert_snapshot!(ask("SELECT 1 / (value - value) FROM generate_series(1, 2)").await, @"Internal: division by zero");
    assert_snapshot!(ask("SELECT * FROM '/etc/passwd'").await, @"NotFound: table /etc/passwd does not exist; `SHOW TABLES` lists those that do");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_rows_were_sent() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql =
        "SELECT CAST(CASE WHEN value = 900000 THEN 'x' ELSE '1' END AS INT) FROM generate_series(1, 1000000)";
    let (code, message) = client.refusal(sql).await;
    assert_eq!(code, Code::Internal, "{message}");
    assert!(message.contains('x'), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_still_fits_into_a_header() {
    let server = Server::start().await;
    let client = server.client().await;
    let (code, message) =
        client.refusal(&format!("SELECT \"{}\" FROM tax.taxpayer", "稅".repeat(20_000))).await;
    assert_eq!(code, Code::NotFound);
    assert!(message.chars().count() <= 701, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_does_not_end_the_server() {
    let server = Server::start().await;
    let client = server.client().await;
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(client.refusal(&deep).await.0, Code::InvalidArgument);
    let terms = |number: usize, term: &str, operator: &str| vec![term; number].join(operator);
    // A thousand also pass, and take their time in a debug build.
    client.query(&format!("SELECT {}", terms(300, "1", " + "))).await.unwrap();
    let either = terms(300, "county_code = 'A'", " OR ");
    client.query(&format!("SELECT 1 FROM ref.county WHERE {either}")).await.unwrap();
    client.query(&terms(100, "SELECT 1", " UNION ALL ")).await.unwrap();
    for sql in [
        format!("SELECT {}", terms(100_000, "1", " + ")),
        format!("SELECT {}", terms(100_000, "true", " OR ")),
        format!("SELECT 1{}", "::INT".repeat(100_000)),
        terms(10_000, "SELECT 1, 2", " UNION ALL "),
    ] {
        let (code, message) = client.refusal(&sql).await;
        assert_eq!(code, Code::InvalidArgument);
        assert!(message.contains("more than 1000 operators in a row"), "{message}");
    }
    // A long list is not deep.
    client
        .query(&format!("SELECT 1 FROM ref.county WHERE county_code IN ({})", terms(3_000, "'A'", ", ")))
        .await
        .unwrap();
    assert_eq!(client.value("SELECT 1").await, "1");
}
