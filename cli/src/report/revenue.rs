//! What Taiwan's taxes will bring in the next twelve months.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use tithe_engine::Session;

use crate::failure::{Failure, Result};
use crate::report::answer::Answer;
use crate::report::figure::{self, Point, Series, label};
use crate::report::number::{change, whole, whole_or_dash};
use crate::report::rows::Rows;
use crate::report::section::{Figure, Section};
use crate::report::terminal;
use crate::report::year_ago::{self, YearAgo};

const QUERY: &str = "revenue/forecast_by_tax";
const YEAR_AGO: &str = "revenue/forecast_a_year_ago";
const HISTORY: &str = "\
SELECT tax_type, month, net_collections_million
FROM real.tw_tax_monthly
WHERE month > (SELECT max(month) FROM real.tw_tax_monthly) - INTERVAL '60 months'
ORDER BY tax_type, month";
/// Drawn each in a chart of its own: the large ones that are no part of another.
const DRAWN: [&str; 6] =
    ["personal_income", "corporate_income", "business_vat", "commodity", "customs", "securities_transaction"];

struct Tax {
    name: String,
    series: Series,
    year_ago: YearAgo,
}

pub(crate) async fn section(session: &Session) -> Result<Section> {
    let taxes = taxes(session).await?;
    let total = taxes.get("total").ok_or_else(|| Failure::failed("the forecast has no total"))?;
    let (Some(last), Some(next)) = (total.series.actual.last(), total.series.forecast.last()) else {
        return Err(Failure::failed("the forecast of the total is empty"));
    };
    let (before, after) = (year(&total.series.actual), sum(&total.series.forecast));
    let lead = format!(
        "All taxes together: NT$ {} million in the twelve months to {}, against {} in the twelve months to {} \
         ({}). {}",
        whole(after),
        label(next.0),
        whole(before),
        label(last.0),
        change((after / before - 1.0) * 100.0),
        total.year_ago.told().unwrap_or_default(),
    );
    let mut figures = vec![drawn("All taxes together", total, (880, 340))?];
    for tax_type in DRAWN {
        if let Some(tax) = taxes.get(tax_type) {
            figures.push(drawn(&tax.name, tax, (430, 240))?);
        }
    }
    Ok(Section {
        title: "Taiwan's tax revenue, twelve months ahead",
        question: "What will each of Taiwan's taxes bring in the coming months, and within what range?"
            .to_owned(),
        lead,
        caution: format!(
            "NT$ million, net collections as published by the Ministry of Finance up to {}. Dashes show what the method \
             would have said a year before that ({YEAR_AGO} has its months); one year says little of the next. Some rows are parts of \
             others: personal and corporate income tax, for one, make up income tax.",
            label(last.0)
        ),
        figures,
        terminal_chart: Some(format!(
            "All taxes, NT$ million a month: five years as a line, the forecast as bars\n{}",
            terminal::chart(&total.series.actual, &total.series.forecast)
        )),
        rows: by_tax(&taxes),
        command: format!("tithe query run {QUERY} --param horizon=12"),
    })
}

async fn taxes(session: &Session) -> Result<BTreeMap<String, Tax>> {
    let forecast = Answer::of_library(session, QUERY, &[("horizon", "12")]).await?;
    let (types, names) = (forecast.texts("tax_type")?, forecast.texts("tax_name_zh")?);
    let (days, values) = (forecast.days("month")?, forecast.numbers("net_collections_million")?);
    let ends = ["lo80", "hi80", "lo95", "hi95"];
    let ends = ends.map(|end| forecast.numbers(end));
    let [lo80, hi80, lo95, hi95] = ends;
    let (lo80, hi80, lo95, hi95) = (lo80?, hi80?, lo95?, hi95?);
    let mut taxes = BTreeMap::<String, Tax>::new();
    for row in 0..forecast.len() {
        let at = |values: &[Option<f64>]| values.get(row).copied().flatten();
        let (Some(tax_type), Some(name)) = (types.get(row), names.get(row)) else { continue };
        let (Some(month), Some(value)) = (days.get(row).copied().flatten().map(number), at(&values)) else {
            continue;
        };
        let tax = taxes.entry(tax_type.clone()).or_insert_with(|| Tax {
            name: format!("{name} ({})", tax_type.replace('_', " ")),
            series: Series {
                actual: Vec::new(),
                forecast: Vec::new(),
                earlier: Vec::new(),
                bands: [Vec::new(), Vec::new()],
            },
            year_ago: YearAgo::default(),
        });
        tax.series.forecast.push((month, value));
        for (band, low, high) in [(0, at(&lo80), at(&hi80)), (1, at(&lo95), at(&hi95))] {
            if let (Some(low), Some(high), Some(band)) = (low, high, tax.series.bands.get_mut(band)) {
                band.push((month, low, high));
            }
        }
    }
    let history = Answer::of_sql(session, "for the months before", HISTORY).await?;
    let (types, days) = (history.texts("tax_type")?, history.days("month")?);
    for ((tax_type, day), value) in types.iter().zip(days).zip(history.numbers("net_collections_million")?) {
        if let (Some(tax), Some(day), Some(value)) = (taxes.get_mut(tax_type), day, value) {
            tax.series.actual.push((number(day), value));
        }
    }
    let past = Answer::of_library(session, YEAR_AGO, &[("months", "12")]).await?;
    year_ago::read(&past, |tax_type, add| {
        if let Some(tax) = taxes.get_mut(tax_type) {
            add(&mut tax.year_ago);
        }
    })?;
    for tax in taxes.values_mut() {
        tax.series.earlier.clone_from(&tax.year_ago.said);
    }
    Ok(taxes)
}

fn by_tax(taxes: &BTreeMap<String, Tax>) -> Rows {
    let mut sums: Vec<(&Tax, f64, f64)> =
        taxes.values().map(|tax| (tax, year(&tax.series.actual), sum(&tax.series.forecast))).collect();
    sums.sort_by(|left, right| right.2.total_cmp(&left.2));
    Rows::new(
        [
            "tax",
            ">last 12 months",
            ">next 12 months",
            ">change",
            "next month: 80 % interval",
            ">said a year ago: error",
        ],
        sums.into_iter().map(|(tax, before, after)| {
            let first = tax.series.bands.first().and_then(|band| band.first());
            vec![
                tax.name.clone(),
                whole(before),
                whole(after),
                if before > 0.0 { change((after / before - 1.0) * 100.0) } else { "–".to_owned() },
                first.map_or_else(
                    || "–".to_owned(),
                    |(_, low, high)| format!("{} to {}", whole(*low), whole(*high)),
                ),
                tax.year_ago.error().map_or_else(|| "–".to_owned(), change),
            ]
        }),
    )
}

fn drawn(caption: &str, tax: &Tax, size: (u32, u32)) -> Result<Figure> {
    let wide = |month: i32, band: usize| {
        let found = tax.series.bands.get(band).and_then(|band| band.iter().find(|row| row.0 == month));
        found.map_or_else(|| "–".to_owned(), |(_, low, high)| format!("{} to {}", whole(*low), whole(*high)))
    };
    let recent = tax.series.actual.iter().rev().take(12).rev();
    let actual = recent.map(|(month, value)| {
        let said = tax.series.earlier.iter().find(|said| said.0 == *month).map(|said| said.1);
        let said = whole_or_dash(said);
        vec![label(*month), "collected".to_owned(), whole(*value), String::new(), String::new(), said]
    });
    let forecast = tax.series.forecast.iter().map(|(month, value)| {
        vec![
            label(*month),
            "forecast".to_owned(),
            whole(*value),
            wide(*month, 0),
            wide(*month, 1),
            String::new(),
        ]
    });
    let rows = Rows::new(
        ["month", "kind", ">NT$ million", ">80 % interval", ">95 % interval", ">said a year ago"],
        actual.chain(forecast).collect::<Vec<_>>(),
    );
    let caption = tax.year_ago.told().map_or_else(|| caption.to_owned(), |told| format!("{caption}. {told}"));
    Ok(Figure { caption, svg: figure::forecast(&tax.series, size)?, rows })
}

pub(crate) fn number(day: NaiveDate) -> i32 {
    day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0)
}

fn sum(points: &[Point]) -> f64 {
    points.iter().map(|point| point.1).sum()
}

fn year(points: &[Point]) -> f64 {
    points.iter().rev().take(12).map(|point| point.1).sum()
}
