//! Businesses that sell round in a circle.

use tithe_engine::Session;

use crate::failure::Result;
use crate::report::answer::Answer;
use crate::report::number::{whole, whole_or_dash};
use crate::report::rows::Rows;
use crate::report::section::Section;

const QUERY: &str = "vat/circular_trading";

pub(crate) async fn section(session: &Session) -> Result<Section> {
    let answer = Answer::of_library(session, QUERY, &[]).await?;
    let bans = [answer.texts("first_ban")?, answer.texts("second_ban")?, answer.texts("third_ban")?];
    let (periods, spread) = (answer.texts("periods")?, answer.texts("widest_spread_percent")?);
    let (sales, tax) = (answer.numbers("circulated_sales")?, answer.numbers("circulated_tax")?);
    let rows = (0..answer.len().min(10)).map(|row| {
        let text = |values: &[String]| values.get(row).cloned().unwrap_or_default();
        let number = |values: &[Option<f64>]| whole_or_dash(values.get(row).copied().flatten());
        let circle = bans.iter().map(|ban| text(ban)).collect::<Vec<_>>().join(" → ");
        vec![circle, text(&periods), number(&sales), number(&tax), text(&spread)]
    });
    let lead = match answer.len() {
        0 => "No three businesses sell nearly the same amount round in a circle.".to_owned(),
        count => format!(
            "{count} {} of three businesses sold nearly the same amount round, NT$ {} in all: invoices that \
             make input tax and no turnover.",
            if count == 1 { "circle" } else { "circles" },
            whole(sales.iter().flatten().sum())
        ),
    };
    Ok(Section {
        title: "Circular trading",
        question:
            "Which three businesses sell nearly the same amount round in a circle, period after period?"
                .to_owned(),
        lead,
        caution: String::new(),
        figures: Vec::new(),
        terminal_chart: None,
        rows: Rows::new(["circle", ">periods", ">sales, NT$", ">tax, NT$", ">widest spread, %"], rows),
        command: format!("tithe query run {QUERY}"),
    })
}
