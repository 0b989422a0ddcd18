//! Small tables of text that the program itself makes.

use comfy_table::presets::ASCII_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::output::printable;

/// ASCII lines: drawn lines are two columns wide in some East Asian terminals, and break the alignment.
pub(crate) fn frame() -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Rows under headers; a header that starts with `>` makes its column right-aligned.
pub(crate) fn listing<const COLUMNS: usize>(
    headers: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = frame();
    table.set_header(headers.map(|header| header.trim_start_matches('>')));
    let alignments = headers.map(|header| match header.starts_with('>') {
        true => CellAlignment::Right,
        false => CellAlignment::Left,
    });
    for row in rows {
        let cells = row.into_iter().zip(alignments);
        table.add_row(cells.map(|(text, alignment)| Cell::new(printable(&text)).set_alignment(alignment)));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::listing;

    #[test]
    fn wide_characters_keep_their_columns_aligned() {
        let text = listing(
            ["name", ">rows"],
            [["營業稅".to_owned(), "12".to_owned()], ["vat".to_owned(), "1,234".to_owned()]],
        );
        assert_eq!(
            text,
            "+--------+-------+\n\
             | name   | rows  |\n\
             +================+\n\
             | 營業稅 |    12 |\n\
             | vat    | 1,234 |\n\
             +--------+-------+"
        );
    }
}
