//! The library of queries.

use std::collections::BTreeMap;

use crate::support::{Place, tithe};

#[test]
fn the_list_names_every_question() {
    let all = tithe(["query", "list"]).result();
    for query in tithe_queries::library() {
        assert!(all.contains(query.name) && all.contains(&query.question), "{}", query.name);
    }
    let vat = tithe(["query", "list", "vat"]).result();
    assert!(vat.contains("| vat/circular_trading") && !vat.contains("creators/"), "{vat}");
    let message = tithe(["query", "list", "creator"]).failure(2);
    assert!(
        message.starts_with("error: there is no domain \"creator\", did you mean creators?; there are "),
        "{message}"
    );
}

#[test]
fn show_tells_parameters_columns_and_sql() {
    let shown = tithe(["query", "show", "vat/late_filers"]).result();
    let query = tithe_queries::find("vat/late_filers").expect("the query");
    for parameter in &query.parameters {
        assert!(shown.contains(&format!("| {}", parameter.name)), "{shown}");
    }
    for column in &query.columns {
        assert!(shown.contains(&column.description), "{shown}");
    }
    assert!(shown.contains("SELECT") && !shown.contains("-- title:"), "{shown}");
    assert_eq!(tithe(["query", "show", "late_filers"]).result(), shown);
}

#[test]
fn run_takes_parameters_and_formats() {
    let place = Place::with_sample();
    let run = |parameters: &[&str]| -> Vec<String> {
        let fixed = ["query", "run", "revenue/forecast_by_tax", "--format", "csv", "-p", "tax_type=total"];
        let text = place.run(fixed.iter().chain(parameters)).result();
        text.lines().map(ToOwned::to_owned).collect()
    };
    let twelve = run(&[]);
    assert_eq!(twelve.len(), 13);
    assert_eq!(twelve[0], "tax_type,tax_name_zh,month,net_collections_million,lo80,hi80,lo95,hi95,status");
    let three = run(&["--param", "horizon=3"]);
    assert_eq!(three, twelve[..4]);

    let ran = place.run(["query", "run", "revenue/by_bureau", "--timing", "-o", "by.parquet"]);
    assert_eq!((ran.code, ran.stdout()), (Some(0), ""));
    assert!(ran.stderr.contains(" rows in "), "{}", ran.stderr);
    let count = "CREATE EXTERNAL TABLE back STORED AS PARQUET LOCATION 'by.parquet'; SELECT count(*) > 4 AS some FROM back";
    assert_eq!(place.run(["sql", "--format", "csv", "-c", count]).result(), "some\ntrue\n");
}

#[test]
fn every_query_runs_on_the_sample() {
    let place = Place::with_sample();
    let bound = |query: &tithe_queries::LibraryQuery| query.bind(&BTreeMap::new()).expect("defaults");
    // In one run: reading the lake's footers anew for each would take most of the time.
    let script: Vec<String> = tithe_queries::library().iter().map(bound).collect();
    place.write("all.sql", script.join("\n;\n"));
    let answers = place.run(["sql", "-f", "all.sql", "--format", "csv"]).result();
    let mut lines = answers.lines();
    for query in tithe_queries::library() {
        let columns: Vec<&str> = query.columns.iter().map(|column| column.name.as_str()).collect();
        assert!(lines.any(|line| line == columns.join(",")), "{} in its turn", query.name);
    }
}

#[test]
fn text_parameters_stay_text() {
    let place = Place::with_sample();
    let text = place
        .run(["query", "run", "revenue/forecast_by_tax", "--format", "csv", "-p", "tax_type=x' OR '1'='1"])
        .result();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn wrong_names_and_values() {
    let check = |arguments: &[&str], expected: &str| {
        let arguments = ["query", "run"].iter().chain(arguments);
        assert_eq!(Place::new().run(arguments).failure(2), format!("error: {expected}"));
    };
    let by_tax = "revenue/forecast_by_tax";
    check(
        &["vat/circular_tradng"],
        "there is no library query \"vat/circular_tradng\" (nearest: vat/circular_trading): \
         `tithe query list` shows them all",
    );
    check(
        &[by_tax, "-p", "horizonn=3"],
        "query revenue/forecast_by_tax has no parameter \"horizonn\" (nearest: horizon); \
         it takes horizon, since, tax_type",
    );
    check(
        &[by_tax, "-p", "horizon=twelve"],
        "query revenue/forecast_by_tax, parameter horizon: \"twelve\" is not a whole number such as 12",
    );
    check(
        &[by_tax, "-p", "since=113-01-01"],
        "query revenue/forecast_by_tax, parameter since: \"113-01-01\" is not a date such as 2024-01-31",
    );
    check(
        &[by_tax, "-p", "horizon=1", "-p", "horizon=2"],
        "the parameter horizon is given twice: give it once",
    );
    let message = tithe(["query", "run", by_tax, "--param", "horizon"]).failure(2);
    assert!(message.contains("a parameter is given as NAME=VALUE, such as year=2025"), "{message}");
}

#[test]
fn a_query_without_its_lake() {
    let message = tithe(["query", "run", "vat/late_filers"]).failure(1);
    assert!(message.contains("does not exist") && message.contains("no lake is open"), "{message}");
}
