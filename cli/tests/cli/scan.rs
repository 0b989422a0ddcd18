//! `tithe scan`.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Place, Ran};

/// What a run told that went well, whatever it remarked.
fn told(ran: &Ran) -> String {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    String::from_utf8_lossy(&ran.bytes).into_owned()
}

/// The lines of a listing, without its frame and header.
fn rows(listing: &str) -> Vec<Vec<String>> {
    let lines = listing.lines().filter(|line| line.starts_with("| ")).skip(1);
    lines
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

fn found<'r>(rows: &'r [Vec<String>], table: &str, column: &str) -> Option<&'r str> {
    rows.iter().find(|row| row[0] == table && row[1] == column).map(|row| row[2].as_str())
}

#[test]
fn what_the_sample_lake_holds_about_people_is_found() {
    let rows = rows(&told(&Place::with_sample().run(["scan"])));
    for (table, column, tag) in [
        ("tax.taxpayer", "national_id", "pii.id"),
        ("tax.taxpayer", "ban", "pii.id"),
        ("tax.taxpayer", "phone", "pii.contact"),
        ("tax.taxpayer", "email", "pii.contact"),
        ("third_party.page_raw", "content", "pii.text"),
        ("third_party.channel_raw", "snippet['description']", "pii.text"),
    ] {
        assert_eq!(found(&rows, table, column), Some(tag), "{table}.{column} in {rows:#?}");
    }
    for (table, column) in [("ref.county", "name"), ("tax.taxpayer", "county_code"), ("ref.industry", "name")]
    {
        assert_eq!(found(&rows, table, column), None, "{table}.{column}");
    }
}

#[test]
fn no_value_is_shown_as_it_is() {
    let place = Place::new();
    place.write(
        "lake/crm/people/1.jsonl",
        "{\"who\": \"王小明\", \"id\": \"A123456789\", \"mail\": \"ming@mail.example\", \"mobile\": \"0912-345-678\", \
         \"home\": \"臺北市中正區愛國西路2號\", \"card\": \"4111 1111 1111 1111\", \"note\": {\"text\": \"請洽 ming@mail.example\"}, \
         \"tags\": [\"電話 0912-345-678\"], \"events\": [{\"a\": 1}], \"amount\": 12345675, \"ok\": true}\n",
    );
    let ran = place.run(["scan", "--lake", "lake"]);
    assert!(
        ran.stderr.contains("crm.people: events is nested too deeply to be looked into"),
        "{}",
        ran.stderr
    );
    let listing = told(&ran);
    for value in ["王小明", "A123456789", "ming@", "345-678", "愛國西路", "4111 1111"] {
        assert!(!listing.contains(value), "{value} in\n{listing}");
    }
    assert_snapshot!(listing, @r#"
    +------------+--------------+-------------+-------------------------------------------------------------------------------------------------------------+---------------------+
    | table      | column       | tag         | because                                                                                                     | such as             |
    +=============================================================================================================================================================================+
    | crm.people | who          | pii.name    | 1 of 1 values have the form of personal names                                                               | 王***               |
    | crm.people | id           | pii.id      | 1 of 1 values are personal numbers with a right check digit                                                 | A***                |
    | crm.people | mail         | pii.contact | 1 of 1 values are e-mail addresses                                                                          | ***@mail.example    |
    | crm.people | mobile       | pii.contact | 1 of 1 values are telephone numbers                                                                         | 09***               |
    | crm.people | home         | pii.contact | 1 of 1 values are addresses                                                                                 | 臺北市***           |
    | crm.people | card         | pii.account | 1 of 1 values are payment-card numbers                                                                      | **** **** **** 1111 |
    | crm.people | note['text'] | pii.text    | 1 of 1 values hold an identifier, contact or account                                                        | ***@mail.example    |
    | crm.people | tags         | pii.text    | 1 of 1 values hold an identifier, contact or account                                                        | ****-***-678        |
    | crm.people | amount       | pii.id      | 1 of 1 values are business administration numbers with a right check digit: a sole trader's tells who it is | 1***                |
    +------------+--------------+-------------+-------------------------------------------------------------------------------------------------------------+---------------------+
    "#);
}

#[test]
fn the_proposal_is_a_section_of_a_policy() {
    let place = Place::with_sample();
    let json: Value =
        serde_json::from_str(&place.run(["scan", "tax.taxpayer", "--format", "json"]).result()).unwrap();
    assert!(json["tags"].as_array().is_some_and(|tags| tags.len() > 3), "{json}");
    let mut policy = json;
    policy["tables"] = serde_json::json!([{"user": "lin", "privileges": ["SELECT"]}]);
    place.write("policy.json", policy.to_string());
    let seen = place.run(["policy", "explain", "lin", "tax.taxpayer", "--policy", "policy.json"]).result();
    let hidden = |column: &str| {
        seen.lines().any(|line| line.starts_with(&format!("| {column} ")) && line.contains("hidden"))
    };
    assert!(hidden("national_id") && hidden("ban") && !hidden("county_code"), "{seen}");
}

#[test]
fn the_same_rows_are_looked_at_each_time() {
    let place = Place::with_sample();
    let scan = || told(&place.run(["scan", "tax.taxpayer", "third_party.post_raw", "--rows", "50"]));
    assert_eq!(scan(), scan());
}

#[test]
fn what_cannot_be_looked_at_is_said_and_the_rest_is_told() {
    let place = Place::new();
    place.write("lake/crm/good/1.jsonl", "{\"mail\": \"ming@mail.example\"}\n");
    place.write("lake/crm/bad/1.jsonl", "{\"mail\": \n");
    let ran = place.run(["scan", "--lake", "lake"]);
    assert_eq!(ran.code, Some(1));
    assert!(String::from_utf8_lossy(&ran.bytes).contains("crm.good"));
    assert!(ran.stderr.contains("crm.bad is not looked at: "), "{}", ran.stderr);
    let message = place.run(["scan", "people", "--lake", "lake"]).failure(2);
    assert!(message.contains("write SCHEMA.TABLE"), "{message}");
}

#[test]
fn a_table_that_is_seen_in_groups_alone_is_named_and_the_rest_is_told() {
    let place = Place::new();
    place.write("lake/crm/person/1.jsonl", "{\"id\": \"A123456789\", \"mail\": \"ming@mail.example\"}\n");
    place.write("lake/crm/office/1.jsonl", "{\"mail\": \"office@mail.example\"}\n");
    place.write(
        "policy.json",
        r#"{"tables": [
            {"table": "person", "privileges": ["SELECT"], "minimum_group": {"key": "id", "size": 3}},
            {"privileges": ["SELECT"]}]}"#,
    );
    let ran = place.run(["scan", "--lake", "lake", "--policy", "policy.json"]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let listing = String::from_utf8_lossy(&ran.bytes);
    assert!(listing.contains("crm.office") && !listing.contains("crm.person"), "{listing}");
    let reason =
        "crm.person is not looked at: scanning crm.person is not allowed: a scan looks at single values";
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    assert!(!ran.stderr.contains("ming@"), "{}", ran.stderr);
}
