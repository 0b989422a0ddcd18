//! A table of text, as the report shows it.

use comfy_table::{Cell, CellAlignment};

use crate::output::{frame, printable};

/// Characters in a cell of a terminal, from which on a list is broken into lines.
const LONG: usize = 32;

/// Rows under headers. A header that starts with `>` makes its column right-aligned.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) headers: Vec<Header>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The head of a column.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) text: String,
    pub(crate) right: bool,
}

impl Rows {
    pub(crate) fn new<'h>(
        headers: impl IntoIterator<Item = &'h str>,
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let headers = headers
            .into_iter()
            .map(|header| match header.strip_prefix('>') {
                Some(text) => Header { text: text.to_owned(), right: true },
                None => Header { text: header.to_owned(), right: false },
            })
            .collect();
        Self { headers, rows: rows.into_iter().collect() }
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let mut table = frame();
        table.set_header(self.headers.iter().map(|header| Cell::new(&header.text)));
        for row in &self.rows {
            table.add_row(row.iter().zip(&self.headers).map(|(text, header)| {
                Cell::new(over_lines(&printable(text))).set_alignment(match header.right {
                    true => CellAlignment::Right,
                    false => CellAlignment::Left,
                })
            }));
        }
        table.to_string()
    }
}

/// A long list goes over several lines, one part each.
fn over_lines(text: &str) -> String {
    match text.chars().count() > LONG {
        true => text.replace("; ", ";\n"),
        false => text.to_owned(),
    }
}
