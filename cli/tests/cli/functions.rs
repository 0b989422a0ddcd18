//! What the program says of Tithe's SQL functions.

use crate::support::tithe;

#[test]
fn every_function_is_listed_and_explained() {
    let all = tithe(["functions"]).result();
    for entry in tithe_udfs::functions() {
        let line = all.lines().find(|line| line.starts_with(&format!("| {} ", entry.doc.name)));
        assert!(line.is_some_and(|line| line.contains(entry.doc.summary)), "{}", entry.doc.name);
    }
}

#[test]
fn one_function_with_its_whole_contract() {
    let text = tithe(["functions", "forecast"]).result();
    let doc =
        tithe_udfs::functions().into_iter().find(|entry| entry.doc.name == "forecast").expect("forecast").doc;
    for part in [doc.syntax, doc.summary, doc.description, doc.nulls, doc.examples[0].sql.trim()] {
        assert!(text.contains(&part.replace('\n', "\n  ")) || text.contains(part), "{part}\n---\n{text}");
    }
    for argument in doc.arguments {
        assert!(text.contains(argument.description), "{}", argument.name);
    }
    assert_eq!(tithe(["functions", "FORECAST()"]).result(), text);
}

#[test]
fn an_unknown_function_is_told_with_the_nearest() {
    let message = tithe(["functions", "forcast"]).failure(2);
    assert!(
        message.starts_with("error: Tithe adds no function \"forcast\", did you mean forecast"),
        "{message}"
    );
}
