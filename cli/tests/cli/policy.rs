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
fn the_example_is_as_expected() {
    let expected = example().with_file_name("policy.expected.toml").display().to_string();
    let ran = Place::with_sample().run(on_example(&["policy", "test", &expected]));
    assert_eq!(ran.result(), "the policy is as expected: 5 looked at\n");
}

#[test]
fn every_difference_from_what_is_expected_is_said() {
    let place = Place::with_sample();
    let test = |file: &str, code: i32| {
        place.write("expected.toml", file);
        place.run(on_example(&["policy", "test", "expected.toml"])).failure(code)
    };
    let wrong = r#"
      [[expect]]
      user = "lin"
      table = "tax.taxpayer"
      rows = "some"
      shown = ["ban", "phone"]
      masked = ["county_code"]
      hidden = ["name"]
      [[expect]]
      user = "wu"
      table = "tax.income_return"
      rows = "all"
      [[expect]]
      user = "lin"
      table = "tax.withholding"
      denied = true
      [[expect]]
      user = "lin"
      table = "truth.link"
      denied = false
      [[expect]]
      user = "nobody"
      table = "tax.taxpayer"
      shown = ["name"]
    "#;
    assert_snapshot!(test(wrong, 1), @r#"
    error: the policy is not as expected:
    lin on tax.taxpayer: should see some rows, and sees all
    lin on tax.taxpayer: ban should be shown, and is masked
    lin on tax.taxpayer: phone should be shown, and is hidden
    lin on tax.taxpayer: county_code should be masked, and is shown
    lin on tax.taxpayer: name should be hidden, and is masked
    wu on tax.income_return: should see all rows, and sees those where bureau_code = 'E01' (tenants, entry 2)
    lin on tax.withholding: should be denied, and is permitted by tables entry 5
    lin on truth.link: should be permitted, and is denied: no rule matches
    nobody on tax.taxpayer: should be permitted, and is denied: no rule matches
    "#);
    let entry = |rest: &str| format!("[[expect]]\nuser = 'lin'\ntable = 'tax.taxpayer'\n{rest}");
    assert_snapshot!(test(&entry("shown = ['nmae']"), 2), @"error: expected.toml: tax.taxpayer has no column nmae");
    assert_snapshot!(test(&entry("denied = true\nrows = 'all'"), 2), @"error: expected.toml: lin on tax.taxpayer: what is denied has no rows and columns to expect");
    assert_snapshot!(test(&entry("").replace("tax.taxpayer", "tax.taxpayers"), 2), @"error: expected.toml: table tax.taxpayers does not exist; did you mean tax.taxpayer?");
    assert_snapshot!(test(&entry("").replace("tax.taxpayer", "taxpayer"), 2), @r#"error: expected.toml: "taxpayer" is not a table: write SCHEMA.TABLE, such as tax.taxpayer"#);
    assert_snapshot!(test("", 2), @"error: expected.toml: there is no [[expect]] in it: docs/policy.md shows one");
    assert!(test(&entry("see = ['name']"), 2).contains("unknown field `see`"));
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

#[test]
fn a_table_that_is_seen_in_groups_is_explained_and_tested() {
    let place = Place::with_sample();
    place.write(
        "policy.json",
        r#"{"tables": [{"user": "lin", "schema": "tax", "table": "income_return", "privileges": ["SELECT"],
            "minimum_group": {"key": "taxpayer_id", "size": 5, "dimensions": ["bureau_code", "year"]}}]}"#,
    );
    let policy = |arguments: &[&str]| place.run([arguments, &["--policy", "policy.json"]].concat());
    assert_eq!(policy(&["policy", "check"]).result(), "the policy fits the lake\n");
    let explained = policy(&["policy", "explain", "lin", "tax.income_return"]).result();
    let sentence = "in groups alone: at least 5 of taxpayer_id in each combination of bureau_code, year";
    assert_eq!(explained.lines().nth(1), Some(sentence));
    let all = policy(&["policy", "explain", "lin"]).result();
    assert!(all.contains("in groups alone: at least 5 of taxpayer_id"), "{all}");
    let sql = |sql: &str| policy(&["sql", "--as", "lin", "--format", "csv", "-c", sql]);
    let smallest = sql("SELECT min(n) >= 5 AS large, count(*) > 1 AS several FROM \
         (SELECT count(DISTINCT taxpayer_id) AS n FROM tax.income_return GROUP BY bureau_code, year)");
    assert_eq!(smallest.result(), "large,several\ntrue,true\n");
    let refused = sql("SELECT max(total_income) FROM tax.income_return").failure(4);
    assert!(refused.contains("in groups of at least 5 alone"), "{refused}");
    let expect = |size: u32| {
        place.write(
            "expected.toml",
            format!("[[expect]]\nuser = \"lin\"\ntable = \"tax.income_return\"\nminimum_group = {size}\n"),
        );
        policy(&["policy", "test", "expected.toml"])
    };
    assert_eq!(expect(5).result(), "the policy is as expected: 1 looked at\n");
    let wrong = "lin on tax.income_return: should be seen row by row, and is seen in groups of at least 5";
    assert!(expect(0).failure(1).contains(wrong));
}
