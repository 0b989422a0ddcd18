//! `tithe policy`, and commands under a policy.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use crate::support::Place;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.example.json")
}

fn on_example(arguments: &[&str]) -> Vec<String> {
    let policy = example().display().to_string();
    let mut all: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    all.extend(["--policy".to_owned(), policy]);
    all
}

#[test]
fn the_example_of_the_documentation_fits_the_sample_lake() {
    let ran = Place::with_sample().run(on_example(&["policy", "check"]));
    assert_eq!(ran.result(), "the policy fits the lake\n");
}

#[test]
fn what_does_not_fit_is_listed() {
    let place = Place::with_sample();
    place.write(
        "policy.json",
        r#"{"tables": [{"schema": "tax", "table": "taxpayer", "privileges": ["SELECT"], "filter": "county = '63000'"}]}"#,
    );
    let message = place.run(["policy", "check", "--policy", "policy.json"]).failure(2);
    assert!(
        message.starts_with("error: the policy does not fit the lake:\ntables, entry 1: tax.taxpayer: "),
        "{message}"
    );
    assert!(message.contains("no field named county"), "{message}");
    let served = place.run(["serve", "--listen", "127.0.0.1:0", "--policy", "policy.json"]).failure(2);
    assert!(served.contains("nothing is served"), "{served}");
}

#[test]
fn a_user_s_view_is_explained() {
    let place = Place::with_sample();
    let explained = |table: &str| place.run(on_example(&["policy", "explain", "lin", table])).result();
    assert_snapshot!(explained("tax.income_return"), @r#"
    lin on tax.income_return: permitted by tables entry 5
    rows where bureau_code = 'A01' (tenants, entry 1)

    +-------------------------+--------+--------------+
    | column                  | tags   | what is seen |
    +=================================================+
    | taxpayer_id             | pii.id | hidden       |
    | year                    |        | shown        |
    | declared_creator_income |        | shown        |
    | total_income            |        | shown        |
    | tax_due                 |        | shown        |
    | filed_on                |        | shown        |
    | bureau_code             |        | shown        |
    +-------------------------+--------+--------------+
    "#);
    assert_snapshot!(explained("tax.taxpayer"), @r#"
    lin on tax.taxpayer: permitted by tables entry 3

    +---------------+-------------+-------------------------+
    | column        | tags        | what is seen            |
    +=======================================================+
    | taxpayer_id   | pii.id      | hidden                  |
    | kind          |             | shown                   |
    | ban           | pii.id      | left(ban, 3) || '*****' |
    | national_id   | pii.id      | hidden                  |
    | name          | pii.name    | left(name, 1) || '○○'   |
    | birth_date    | pii.contact | hidden                  |
    | phone         | pii.contact | hidden                  |
    | email         | pii.contact | hidden                  |
    | bank_account  | pii.contact | hidden                  |
    | county_code   |             | shown                   |
    | industry_code |             | shown                   |
    | registered_on |             | shown                   |
    | synthetic     |             | shown                   |
    +---------------+-------------+-------------------------+
    "#);
    assert_snapshot!(explained("truth.link"), @"lin on truth.link: denied: no rule matches");
    let everything = place.run(on_example(&["policy", "explain", "huang"])).result();
    assert!(everything.contains("truth.link"), "{everything}");
    let unknown = place.run(on_example(&["policy", "explain", "lin", "tax.taxpayers"])).failure(2);
    assert!(unknown.contains("did you mean tax.taxpayer?"), "{unknown}");
    place.run(on_example(&["policy", "explain", "lin", "taxpayer"])).failure(2);
}

#[test]
fn a_command_sees_what_the_user_sees() {
    let place = Place::with_sample();
    let count = |user: &str, sql: &str| {
        let ran = place.run(on_example(&["sql", "--as", user, "--format", "csv", "-c", sql]));
        ran.result().lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(count("lin", "SELECT count(DISTINCT bureau_code) FROM tax.income_return"), "1");
    assert_eq!(count("wu", "SELECT min(bureau_code) FROM tax.income_return"), "E01");
    assert_eq!(count("huang", "SELECT count(DISTINCT bureau_code) FROM tax.income_return"), "5");
    let denied = place.run(on_example(&["sql", "--as", "lin", "-c", "SELECT * FROM truth.link"])).failure(1);
    assert!(denied.contains("table truth.link does not exist"), "{denied}");
    let nobody = place.run(on_example(&["sql", "-c", "SELECT * FROM tax.payment"])).failure(1);
    assert!(nobody.contains("table tax.payment does not exist"), "{nobody}");
    place.run(on_example(&["sql", "--as", "lin", "-c", "CREATE VIEW v AS SELECT 1"])).failure(4);
    place.run(on_example(&["query", "run", "revenue/year_on_year", "--as", "huang"])).result();
}

#[test]
fn wrong_uses() {
    let place = Place::with_sample();
    let check = |arguments: &[&str], expected: &str| {
        let message = place.run(arguments).failure(2);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    };
    check(&["sql", "--as", "lin", "-c", "SELECT 1"], "--as needs a policy");
    check(&["policy", "check"], "there is no policy");
    check(&["sql", "--policy", "none.json", "-c", "SELECT 1"], "none.json");
    let mut serve = on_example(&["serve", "--as", "lin"]);
    serve.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
    assert!(place.run(serve).failure(2).contains("--as is for local commands"));
}
