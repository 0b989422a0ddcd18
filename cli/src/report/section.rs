//! One question and its answer.

use crate::report::rows::Rows;

/// A part of the report.
#[derive(Debug)]
pub(crate) struct Section {
    /// A few words.
    pub(crate) title: &'static str,
    /// What is asked.
    pub(crate) question: String,
    /// The answer in a sentence or two.
    pub(crate) lead: String,
    /// What to know before relying on it.
    pub(crate) caution: String,
    /// The figures, for the page.
    pub(crate) figures: Vec<Figure>,
    /// A chart in characters, for the terminal.
    pub(crate) terminal_chart: Option<String>,
    /// The rows that matter most.
    pub(crate) rows: Rows,
    /// The command that gives all rows.
    pub(crate) command: String,
}

/// A chart and the numbers it shows.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What it shows.
    pub(crate) caption: String,
    /// The drawing.
    pub(crate) svg: String,
    /// The same as a table.
    pub(crate) rows: Rows,
}
