//! Where VAT returns fall short of the invoices.

use tithe_engine::Session;

use crate::failure::Result;
use crate::report::answer::Answer;
use crate::report::figure;
use crate::report::number::{whole, whole_or_dash};
use crate::report::rows::Rows;
use crate::report::section::{Figure, Section};

const QUERY: &str = "vat/gap_by_industry";
const SHOWN: usize = 8;

pub(crate) async fn section(session: &Session) -> Result<Section> {
    let answer = Answer::of_library(session, QUERY, &[]).await?;
    let names = answer.texts("name_zh")?;
    let (sellers, short) = (answer.numbers("sellers")?, answer.numbers("short_sellers")?);
    let (gap, percent) = (answer.numbers("gap")?, answer.texts("gap_percent")?);
    let mut order: Vec<usize> = (0..answer.len()).collect();
    let of = |row: usize| gap.get(row).copied().flatten().unwrap_or(0.0);
    order.sort_by(|left, right| of(*right).total_cmp(&of(*left)));
    order.truncate(SHOWN);
    let text = |values: &[String], row: usize| values.get(row).cloned().unwrap_or_default();
    let rows = Rows::new(
        ["industry", ">sellers", ">fall short", ">gap, NT$", ">of the invoices, %"],
        order.iter().map(|row| {
            let number = |values: &[Option<f64>]| whole_or_dash(values.get(*row).copied().flatten());
            vec![text(&names, *row), number(&sellers), number(&short), number(&gap), text(&percent, *row)]
        }),
    );
    let drawn: Vec<(String, f64)> = order.iter().map(|row| (text(&names, *row), of(*row))).collect();
    let total = whole(gap.iter().flatten().sum());
    let count: f64 = short.iter().flatten().sum();
    let figures = if drawn.is_empty() {
        Vec::new()
    } else {
        let height = 60 + 32 * u32::try_from(drawn.len()).unwrap_or(0);
        vec![Figure {
            caption: "Taxable sales on invoices that the returns leave out, by industry, NT$".to_owned(),
            svg: figure::bars(&drawn, (880, height))?,
            rows: rows.clone(),
        }]
    };
    Ok(Section {
        title: "The VAT gap by industry",
        question: "In which industries do returns fall short of the invoices?".to_owned(),
        lead: format!(
            "{} businesses declared less than 98 % of the sales on their own e-invoices: NT$ {total} is missing from \
             the returns.",
            whole(count)
        ),
        caution: String::new(),
        figures,
        terminal_chart: None,
        rows,
        command: format!("tithe query run {QUERY}"),
    })
}
