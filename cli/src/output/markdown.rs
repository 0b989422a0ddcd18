//! A Markdown table, row by row; NULL is an empty cell.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::ArrayFormatter;

use crate::failure::Result;
use crate::output::{Destination, ResultWriter, display_options, failed, is_number};

pub(crate) struct MarkdownWriter<'d> {
    destination: &'d mut Destination,
}

impl<'d> MarkdownWriter<'d> {
    pub(crate) fn new(schema: &Schema, destination: &'d mut Destination) -> Result<Self> {
        let mut writer = Self { destination };
        let names = schema.fields().iter().map(|field| escape(field.name()));
        writer.line(names.collect())?;
        let rules = schema.fields().iter().map(|field| {
            let right = is_number(field.data_type());
            if right { "---:".to_owned() } else { "---".to_owned() }
        });
        writer.line(rules.collect())?;
        Ok(writer)
    }

    fn line(&mut self, cells: Vec<String>) -> Result<()> {
        writeln!(self.destination, "| {} |", cells.join(" | "))
            .map_err(|error| self.destination.io_failure(&error))
    }
}

impl ResultWriter for MarkdownWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let options = display_options("");
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed("markdown", error))?;
        for row in 0..batch.num_rows() {
            self.line(columns.iter().map(|column| escape(&column.value(row).to_string())).collect())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        // A blank line parts this table from a next one.
        writeln!(self.destination).map_err(|error| self.destination.io_failure(&error))?;
        Ok(0)
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace("\r\n", "<br>").replace(['\n', '\r'], "<br>")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(escape("業配|合作\r\n第二行\n\\"), "業配\\|合作<br>第二行<br>\\\\");
    }
}
