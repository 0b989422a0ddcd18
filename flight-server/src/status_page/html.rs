//! The pages. Every value goes through maud, which escapes it.

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tithe_engine::{LiveQuery, TableInfo, VisibleTable};

use super::catalog::{format, rows};
use super::queries::{Queries, Shown};
use super::viewer::Viewer;

pub(super) const STYLE: &str = include_str!("style.css");

/// Of names and statements, so that a browser picks the glyphs of Taiwan.
const CHINESE: &str = "zh-Hant-TW";

fn layout(title: &str, viewer: Option<&Viewer>, every: Option<u32>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(every) = every { meta http-equiv="refresh" content=(every); }
                title { (title) " – Tithe" }
                link rel="stylesheet" href="/status/style.css";
            }
            body {
                header {
                    strong { "Tithe" }
                    nav {
                        a href="/status" { "Queries" }
                        a href="/status/catalog" { "Catalog" }
                    }
                    @if let Some(viewer) = viewer { (who(viewer)) }
                }
                main {
                    h1 lang=(CHINESE) { (title) }
                    (body)
                }
            }
        }
    }
}

fn who(viewer: &Viewer) -> Markup {
    let memberships = &viewer.policy.memberships;
    html! {
        p class="who" {
            strong class="user" lang=(CHINESE) { (viewer.principal.name) }
            @for (kind, names) in [("group", &memberships.groups), ("role", &memberships.roles)] {
                @for name in names { " " span class="tag" title=(kind) lang=(CHINESE) { (name) } }
            }
            @match &viewer.policy.version {
                Some(version) => { " policy " code { (version) } },
                None => " no policy",
            }
        }
    }
}

pub(super) fn refusal(reason: &str) -> Markup {
    layout("Not shown", None, None, &html! { p class="refusal" { (reason) } })
}

pub(super) fn queries(viewer: &Viewer, queries: &Queries, every: Option<u32>) -> Markup {
    let body = html! {
        p class="reload" {
            @match every {
                Some(every) => { "Loaded again every " (every) " s. " a href="/status" { "Stop" } }
                None => {
                    a href="/status" { "Load again" } ", or every "
                    a href="/status?every=2" { "2" } ", " a href="/status?every=5" { "5" } ", "
                    a href="/status?every=30" { "30" } " s"
                }
            }
        }
        section id="running" {
            h2 { "Running" span class="count" { (queries.running.len()) } }
            (listed(&queries.running, "Nothing runs that you may see."))
        }
        section id="ended" {
            h2 { "Ended lately" span class="count" { (queries.ended.len()) } }
            (listed(&queries.ended, "Nothing has ended that you may see."))
        }
    };
    layout("Queries", Some(viewer), every, &body)
}

fn listed(queries: &[Shown], none: &str) -> Markup {
    if queries.is_empty() {
        return html! { p class="none" { (none) } };
    }
    html! {
        div class="wide" { table {
            thead { tr {
                th { "State" } th { "User" } th { "Statement" } th class="number" { "Elapsed" }
                th class="number" { "Rows" } th { "Began (UTC)" } th {}
            } }
            tbody { @for shown in queries { (row(shown)) } }
        } }
    }
}

fn row(shown: &Shown) -> Markup {
    let query = &shown.query;
    html! {
        tr {
            td { (state(query)) @if let Some(own) = &shown.own { (progress(own.progress, own.token.is_some())) } }
            td lang=(CHINESE) { (query.text("who")) }
            td class="statement" {
                pre lang=(CHINESE) { (query.text("sql")) }
                @if !query.text("error").is_empty() { p class="error" lang=(CHINESE) { (query.text("error")) } }
            }
            td class="number" { (elapsed(query)) }
            td class="number" { (number(query, "rows")) }
            td class="time" { (began(query)) }
            td {
                @if let Some(own) = &shown.own {
                    a href={ "/status/query/" (own.run) } { "Plan" }
                    (end(shown))
                }
            }
        }
    }
}

fn end(shown: &Shown) -> Markup {
    let own = shown.own.as_ref();
    html! {
        @if let Some((own, token)) = own.and_then(|own| own.token.as_ref().map(|token| (own, token))) {
            form method="post" action="/status/kill" {
                input type="hidden" name="run" value=(own.run);
                input type="hidden" name="token" value=(token);
                button { "End" }
            }
        }
    }
}

fn state(query: &LiveQuery) -> Markup {
    // The class is one of ours; the word is whatever is shown.
    let class = match query.text("outcome") {
        "running" | "waiting" => "state active",
        "failed" => "state failed",
        "cancelled" => "state cancelled",
        _ => "state",
    };
    html! { span class=(class) { (query.text("outcome")) } }
}

fn progress(share: f64, runs: bool) -> Markup {
    html! {
        @if runs && share > 0.0 {
            progress max="1" value=(format!("{share:.3}")) { (format!("{:.0} %", share * 100.0)) }
        }
    }
}

pub(super) fn query(viewer: &Viewer, shown: &Shown, operators: Option<&Result<String, String>>) -> Markup {
    let query = &shown.query;
    let body = html! {
        p { (state(query)) " " (end(shown)) }
        pre class="statement" lang=(CHINESE) { (query.text("sql")) }
        @if !query.text("error").is_empty() { p class="error" lang=(CHINESE) { (query.text("error")) } }
        dl {
            dt { "Elapsed" } dd { (elapsed(query)) }
            dt { "Rows" } dd { (number(query, "rows")) }
            dt { "Began (UTC)" } dd { (began(query)) }
            @for (name, column) in [("Values", "parameters"), ("Tables", "tables"), ("Columns", "columns")] {
                @if let Some(values) = query.get(column).and_then(Value::as_array).filter(|values| !values.is_empty()) {
                    dt { (name) }
                    dd lang=(CHINESE) { @for value in values { span class="tag" { (value.as_str().unwrap_or_default()) } " " } }
                }
            }
            dt { "Policy" } dd { code { (query.text("policy")) } }
            dt { "Query id" } dd { code { (query.text("id")) } }
        }
        h2 { "Plan" }
        @match operators {
            Some(Ok(plan)) => div class="wide" { pre class="plan" { (plan) } },
            Some(Err(reason)) => p class="none" { (reason) },
            None => p class="none" { "It has none: it has not begun to run, or its answer was kept." },
        }
    };
    layout("Query", Some(viewer), None, &body)
}

pub(super) fn catalog(viewer: &Viewer, tables: &[(TableInfo, VisibleTable)]) -> Markup {
    let body = html! {
        @if tables.is_empty() { p class="none" { "There is no table that you may see." } }
        @else {
            div class="wide" { table {
                thead { tr { th { "Table" } th { "Format" } th { "Rows" } th { "Privileges" } } }
                tbody { @for (info, visible) in tables {
                    tr {
                        td lang=(CHINESE) {
                            a href={ "/status/catalog/" (encoded(&info.schema)) "/" (encoded(&info.table)) } {
                                (info.schema) "." (info.table)
                            }
                        }
                        td { (format(info.format)) }
                        td { (rows(&visible.rows)) }
                        td { (visible.privileges.join(", ")) }
                    }
                } }
            } }
        }
    };
    layout("Catalog", Some(viewer), None, &body)
}

pub(super) fn table(viewer: &Viewer, schema: &str, table: &str, visible: &VisibleTable) -> Markup {
    let body = html! {
        dl {
            dt { "Rows" } dd { (rows(&visible.rows)) }
            dt { "Privileges" } dd { (visible.privileges.join(", ")) }
        }
        div class="wide" { table {
            thead { tr { th { "Column" } th { "Type" } th { "Shown" } } }
            tbody { @for column in &visible.columns {
                tr {
                    td lang=(CHINESE) { (column.name) }
                    td { code { (column.kind) } }
                    td { @if column.masked { span class="state cancelled" { "masked" } } @else { "as stored" } }
                }
            } }
        } }
    };
    layout(&format!("{schema}.{table}"), Some(viewer), None, &body)
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn number(query: &LiveQuery, column: &str) -> String {
    let digits =
        query.get(column).and_then(Value::as_u64).map(|number| number.to_string()).unwrap_or_default();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn elapsed(query: &LiveQuery) -> String {
    let Some(milliseconds) = query.get("milliseconds").and_then(Value::as_u64) else { return String::new() };
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

/// `2026-11-28T17:05:09.123456Z` as `2026-11-28 17:05:09`.
fn began(query: &LiveQuery) -> String {
    query.text("began_at").split(['.', 'Z']).next().unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_read_at_a_glance() {
        let with = |column: &str, value: u64| {
            let mut query = LiveQuery::default();
            query.set(column, value);
            query
        };
        for (rows, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(number(&with("rows", rows), "rows"), shown);
        }
        for (time, shown) in [(7, "7 ms"), (1_234, "1.2 s"), (59_999, "59.9 s"), (61_000, "1 min 1 s")] {
            assert_eq!(elapsed(&with("milliseconds", time)), shown);
        }
        assert_eq!(
            (number(&LiveQuery::default(), "rows"), elapsed(&LiveQuery::default())),
            Default::default()
        );
        let mut query = LiveQuery::default();
        query.set("began_at", "2026-11-28T17:05:09.123456Z");
        assert_eq!(began(&query), "2026-11-28 17:05:09");
    }
}
