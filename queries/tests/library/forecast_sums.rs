//! Forecasts in money add up to the last dollar: over the hierarchy, and over the parts of a scenario.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use tithe_engine::Session;
use tithe_queries::find;
use tithe_testkit::sample_session;

/// The query bound to `parameters`, as a table of a FROM clause.
fn table(query: &str, parameters: &[(&str, &str)]) -> String {
    let given: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    format!("({})", find(query).expect(query).bind(&given).expect("parameters").trim())
}

/// The whole numbers of the first row.
async fn numbers(session: &Session, sql: &str) -> Vec<i64> {
    let batches = session.query(sql).await.expect("a plan").collect().await.expect("rows");
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).expect("a row");
    let number = |column: &ArrayRef| {
        cast(column, &DataType::Int64).expect("numbers").as_primitive::<Int64Type>().value(0)
    };
    batch.columns().iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nation_is_the_sum_of_its_counties_to_the_dollar() {
    let session = sample_session().await;
    let sums = table("revenue/forecast_bottom_up", &[("horizon", "12")]);
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE nation = counties), count(*) FILTER (WHERE taxes = nation), min(nation)
         FROM (SELECT month, sum(net_collections) FILTER (WHERE level = 'nation') AS nation,
                      sum(net_collections) FILTER (WHERE level = 'county') AS counties
               FROM {sums} GROUP BY month) AS a
         JOIN (SELECT step['forecast_timestamp'] AS month, sum(CAST(round(step['forecast_value']) AS BIGINT)) AS taxes
               FROM (SELECT tax_type, county_code, unnest(forecast(month, net_collections, 12)) AS step
                     FROM tax.revenue_monthly GROUP BY tax_type, county_code) GROUP BY 1) AS b ON a.month = b.month"
    );
    let found = numbers(&session, &sql).await;
    assert_eq!(found[..3], [12, 12, 12]);
    assert!(found[3] > 1_000_000_000, "{found:?}");
}

/// A scenario and what `expected` says of it: a condition on its rows that must hold for all of them.
async fn check(session: &Session, parameters: &[(&str, &str)], expected: &str) {
    let scenario = table("revenue/forecast_scenario", parameters);
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE {expected}),
                count(*) FILTER (WHERE scenario = baseline + rate_effect + level_effect + filing_effect AND lo80 <= scenario AND scenario <= hi80)
         FROM {scenario}"
    );
    assert_eq!(numbers(session, &sql).await, [12, 12, 12], "{parameters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_exact_to_the_dollar() {
    let session = sample_session().await;
    let nothing = ("rate_factor", "1");
    check(&session, &[nothing], "scenario = baseline AND scenario_to_date = baseline_to_date").await;
    check(
        &session,
        &[],
        "rate_effect = CASE WHEN month >= DATE '2026-05-01' THEN CAST(round(CAST(baseline AS DECIMAL(19, 0)) * 0.18) AS BIGINT) ELSE 0 END
         AND level_effect = 0 AND filing_effect = 0",
    )
    .await;
    check(
        &session,
        &[nothing, ("level_from", "2026-03-01"), ("level_amount", "-123456789")],
        "level_effect = CASE WHEN month >= DATE '2026-03-01' THEN -123456789 ELSE 0 END AND scenario = baseline + level_effect",
    )
    .await;
    let may_to_june = [
        ("tax_type", "personal_income"),
        nothing,
        ("filing_month", "5"),
        ("filing_moved_to", "6"),
        ("filing_share", "0.75"),
    ];
    check(
        &session,
        &may_to_june,
        "filing_effect = CASE EXTRACT(MONTH FROM month) WHEN 5 THEN -CAST(round(CAST(baseline AS DECIMAL(19, 0)) * 0.75) AS BIGINT)
         WHEN 6 THEN filing_effect ELSE 0 END AND (month < DATE '2026-06-01' OR scenario_to_date = baseline_to_date)",
    )
    .await;
    // From December into the next year, beyond the horizon: it leaves and does not come back.
    check(
        &session,
        &[nothing, ("filing_month", "12"), ("filing_moved_to", "1")],
        "scenario = CASE EXTRACT(MONTH FROM month) WHEN 12 THEN 0 ELSE baseline END",
    )
    .await;
}
