//! Whose estimated income is furthest above what was declared.

use tithe_engine::Session;

use crate::failure::Result;
use crate::report::answer::Answer;
use crate::report::figure::{self, Range};
use crate::report::number::{whole, whole_or_dash};
use crate::report::rows::Rows;
use crate::report::section::{Figure, Section};

const QUERY: &str = "creators/case_list";
const DRAWN: usize = 10;

pub(crate) async fn section(session: &Session) -> Result<Section> {
    let answer = Answer::of_library(session, QUERY, &[]).await?;
    let titles = answer.texts("title")?;
    let channels = answer.texts("channel_id")?;
    let (p10, p50, p90) = (answer.numbers("p10")?, answer.numbers("p50")?, answer.numbers("p90")?);
    let (declared, expected) = (answer.numbers("declared")?, answer.numbers("expected_undeclared")?);
    let (evidence, flags) = (answer.texts("evidence")?, answer.texts("flags")?);
    let mut rows = Vec::new();
    let mut ranges = Vec::new();
    for row in 0..answer.len().min(20) {
        let text = |values: &[String]| values.get(row).cloned().unwrap_or_default();
        let number = |values: &[Option<f64>]| values.get(row).copied().flatten();
        let name = if text(&titles).is_empty() { text(&channels) } else { text(&titles) };
        if let (Some(low), Some(middle), Some(high), true) =
            (number(&p10), number(&p50), number(&p90), row < DRAWN)
        {
            let mark = number(&declared).unwrap_or(0.0);
            ranges.push(Range { name: name.clone(), low, middle, high, mark });
        }
        rows.push(vec![
            (row + 1).to_string(),
            name,
            whole_or_dash(number(&p10)),
            whole_or_dash(number(&p50)),
            whole_or_dash(number(&p90)),
            whole_or_dash(number(&declared)),
            whole_or_dash(number(&expected)),
            text(&evidence),
            text(&flags),
        ]);
    }
    let undeclared: f64 = expected.iter().flatten().sum();
    let lead = match answer.len() {
        0 => "No creator's estimate is far above what was declared.".to_owned(),
        count => format!(
            "{count} creators probably received more than they declared: NT$ {} in expectation, all together.",
            whole(undeclared)
        ),
    };
    let figures = if ranges.is_empty() {
        Vec::new()
    } else {
        let drawn = Rows::new(
            ["creator", ">p10", ">p50", ">p90", ">declared"],
            ranges.iter().map(|range| {
                let numbers = [range.low, range.middle, range.high, range.mark].map(whole);
                std::iter::once(range.name.clone()).chain(numbers).collect()
            }),
        );
        let height = 60 + 32 * u32::try_from(ranges.len()).unwrap_or(0);
        vec![Figure {
            caption:
                "Estimated gross receipts of the year, NT$: p10 to p90, the median as a dot, the declared \
                      amount as a cross"
                    .to_owned(),
            svg: figure::ranges(&ranges, (880, height))?,
            rows: drawn,
        }]
    };
    Ok(Section {
        title: "Creators: the case list",
        question: "Whose estimated income is furthest above what was declared, how sure is that, and why?".to_owned(),
        lead,
        caution: "An estimate is a reason to look, never a finding: p10 to p90 is where the income lies in eight of \
                  ten cases like this one. People and channels here are made up."
            .to_owned(),
        figures,
        terminal_chart: None,
        rows: Rows::new(
            ["", "creator", ">p10", ">p50", ">p90", ">declared", ">expected undeclared", "evidence", "to know"],
            rows,
        ),
        command: format!("tithe query run {QUERY}"),
    })
}
