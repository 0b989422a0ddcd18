//! Creators who probably had to register for VAT.

use tithe_engine::Session;

use crate::failure::Result;
use crate::report::answer::Answer;
use crate::report::number::whole_or_dash;
use crate::report::rows::Rows;
use crate::report::section::Section;

const QUERY: &str = "creators/registration_threshold";

pub(crate) async fn section(session: &Session) -> Result<Section> {
    let answer = Answer::of_library(session, QUERY, &[]).await?;
    let (titles, registered) = (answer.texts("title")?, answer.texts("vat_registered")?);
    let (low, high) = (answer.numbers("p_month_50k")?, answer.numbers("p_month_200k")?);
    let p50 = answer.numbers("p50")?;
    let open: Vec<usize> =
        (0..answer.len()).filter(|row| registered.get(*row).is_none_or(|value| value != "true")).collect();
    let rows = open.iter().take(10).map(|row| {
        let percent = |values: &[Option<f64>]| match values.get(*row).copied().flatten() {
            Some(probability) => format!("{:.0} %", probability * 100.0),
            None => "–".to_owned(),
        };
        vec![
            titles.get(*row).cloned().unwrap_or_default(),
            percent(&low),
            percent(&high),
            whole_or_dash(p50.get(*row).copied().flatten()),
        ]
    });
    Ok(Section {
        title: "Creators above the registration threshold",
        question:
            "Whose monthly sales probably reach the NT$50,000 for VAT registration or the NT$200,000 for \
                   invoices?"
                .to_owned(),
        lead: format!(
            "{} creators very probably reached NT$50,000 in some month; {} of them are not known to be registered.",
            answer.len(),
            open.len()
        ),
        caution: "Shown are those who are not known to be registered.".to_owned(),
        figures: Vec::new(),
        terminal_chart: None,
        rows: Rows::new(["creator", ">reaches 50,000", ">reaches 200,000", ">median year, NT$"], rows),
        command: format!("tithe query run {QUERY}"),
    })
}
