//! `tithe demo`, from nothing to a report.

use std::fs;

use crate::support::Place;

/// The twelve-month forecast of all taxes, as the library gives it: NT$ million, whole, with thousands parted.
fn forecast(place: &Place) -> Vec<String> {
    let arguments = [
        "query",
        "run",
        "revenue/forecast_by_tax",
        "--lake",
        "tithe-demo/lake",
        "-p",
        "tax_type=total",
        "--format",
        "ndjson",
    ];
    let text = place.run(arguments).result();
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            parted(row["net_collections_million"].as_f64().expect("a number"))
        })
        .collect()
}

/// The sums of what would have been forecast a year ago of all taxes, and of what came, NT$ million.
fn a_year_ago(place: &Place) -> (f64, f64) {
    let arguments = [
        "query",
        "run",
        "revenue/forecast_a_year_ago",
        "--lake",
        "tithe-demo/lake",
        "-p",
        "tax_type=total",
        "--format",
        "ndjson",
    ];
    let text = place.run(arguments).result();
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 12, "{text}");
    let sum = |column: &str| rows.iter().map(|row| row[column].as_f64().expect("a number")).sum();
    (sum("forecast"), sum("came"))
}

fn parted(value: f64) -> String {
    let digits = format!("{:.0}", value.round());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_demo_ends_with_a_report_and_the_lines_to_try_next() {
    let place = Place::new();
    let ran = place.run(["demo", "--scale", "0.001"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let shown = ran.stdout();
    assert_sections(shown);
    assert_next(shown);
    let page = place.read("tithe-demo/report.html");
    assert_stands_alone(&page);
    let months = forecast(&place);
    assert_eq!(months.len(), 12);
    for month in &months {
        assert!(page.contains(&format!(">{month}<")), "{month} is not in the report");
    }
    let (said, came) = a_year_ago(&place);
    let told = format!(
        "A year ago the method would have said NT$ {} million for the last 12 months; NT$ {} million came, so it was {:.1} % too",
        parted(said),
        parted(came),
        (said / came - 1.0).abs() * 100.0
    );
    assert!(page.contains(&told) && shown.replace('\n', " ").contains(&told), "{told}");
    // What the terminal shows is in the report too.
    for creator in cells(shown, "== Creators: the case list", 2) {
        assert!(page.contains(&creator.replace('&', "&amp;")), "{creator}");
    }
    assert!(shown.contains(&format!(
        "{}/tithe-demo/report.html",
        place.folder().canonicalize().expect("it").display()
    )));
    again(&place, &page);
}

/// A second run takes the lake that is there, and comes to the same.
fn again(place: &Place, page: &str) {
    let made = || {
        fs::metadata(place.path("tithe-demo/lake/_lake.json")).expect("a lake").modified().expect("a time")
    };
    let before = made();
    let ran = place.run(["demo", "--scale", "0.001"]);
    assert_eq!((ran.code, made()), (Some(0), before));
    assert!(ran.stderr.contains("using the sample lake in tithe-demo/lake"), "{}", ran.stderr);
    assert!(place.read("tithe-demo/report.html") == page, "another report from the same lake");
}

fn assert_sections(shown: &str) {
    for title in [
        "== Taiwan's tax revenue, twelve months ahead",
        "== Creators: the case list",
        "== Circular trading",
        "== The VAT gap by industry",
        "== Creators above the registration threshold",
        "== What next",
    ] {
        assert!(shown.contains(title), "{title}");
    }
    assert!(shown.contains("All taxes, NT$ million a month: five years as a line, the forecast as bars"));
    // Braille dots are the chart.
    assert!(shown.chars().filter(|dot| ('\u{2801}'..='\u{28ff}').contains(dot)).count() > 100);
    let taxes = cells(shown, "== Taiwan's tax revenue", 1);
    assert!(taxes.len() > 5 && taxes.iter().any(|tax| tax.contains("營業稅")), "{taxes:?}");
    assert!(!cells(shown, "== Creators: the case list", 2).is_empty());
    for column in [3, 4, 5] {
        let numbers = cells(shown, "== Creators: the case list", column);
        assert!(
            numbers.iter().all(|number| number.chars().all(|c| c.is_ascii_digit() || c == ',')),
            "{numbers:?}"
        );
    }
    assert!(cells(shown, "== Creators: the case list", 8).iter().all(|evidence| !evidence.is_empty()));
}

/// The cells of one column of the first table under a title.
fn cells(shown: &str, title: &str, column: usize) -> Vec<String> {
    let section = shown.split_once(title).expect(title).1;
    let section = section.split("\n== ").next().expect("a section");
    let rows = section.lines().skip_while(|line| !line.starts_with("+=")).skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        // A long cell goes on in lines whose first cell is empty.
        .filter(|cells| !cells[1].is_empty())
        .map(|cells| cells[column].to_owned())
        .collect()
}

fn assert_next(shown: &str) {
    let program = env!("CARGO_BIN_EXE_tithe");
    for line in [
        format!("{program} sql --lake tithe-demo/lake\n"),
        format!("{program} serve --lake tithe-demo/lake --listen 127.0.0.1:32010\n"),
        "import adbc_driver_flightsql.dbapi as flight_sql\n".to_owned(),
        "flight_sql.connect(\"grpc://127.0.0.1:32010\")".to_owned(),
    ] {
        assert!(shown.contains(&line), "{line}\n{shown}");
    }
}

/// No network is needed to view the page, and it runs nothing.
fn assert_stands_alone(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.matches("<svg").count() >= 8, "{}", page.matches("<svg").count());
    for attribute in ["src=", "href=", "srcset=", "url(", "data="] {
        for (at, _) in page.match_indices(attribute) {
            let value = page[at + attribute.len()..].trim_start_matches(['"', '\'']);
            assert!(value.starts_with('#'), "{attribute}{}", &value[..value.len().min(80)]);
        }
    }
    for loads in ["<script", "<link", "<iframe", "<img", "<object", "@import", "https://"] {
        assert!(!page.contains(loads), "{loads}");
    }
    let addresses: Vec<&str> = page.match_indices("http://").map(|(at, _)| &page[at..at + 26]).collect();
    assert!(addresses.iter().all(|address| *address == "http://www.w3.org/2000/svg"), "{addresses:?}");
}
