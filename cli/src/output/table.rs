//! Aligned columns for reading. Keeps and shows the first rows, counts the others.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::ArrayFormatter;
use comfy_table::{Cell, CellAlignment, Table};

use crate::failure::Result;
use crate::output::listing::frame;
use crate::output::{Destination, ResultWriter, display_options, failed, is_number, printable};

pub(crate) struct TableWriter<'d> {
    table: Table,
    alignments: Vec<CellAlignment>,
    room: usize,
    left_out: u64,
    destination: &'d mut Destination,
}

impl<'d> TableWriter<'d> {
    pub(crate) fn new(schema: &Schema, max_rows: Option<usize>, destination: &'d mut Destination) -> Self {
        let mut table = frame();
        table.set_header(schema.fields().iter().map(|field| Cell::new(printable(field.name()))));
        let alignments = schema
            .fields()
            .iter()
            .map(|field| match is_number(field.data_type()) {
                true => CellAlignment::Right,
                false => CellAlignment::Left,
            })
            .collect();
        Self { table, alignments, room: max_rows.unwrap_or(usize::MAX), left_out: 0, destination }
    }
}

impl ResultWriter for TableWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let shown = batch.num_rows().min(self.room);
        self.room -= shown;
        self.left_out += u64::try_from(batch.num_rows() - shown).unwrap_or(u64::MAX);
        let options = display_options("NULL");
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed("a table", error))?;
        for row in 0..shown {
            let cells = columns.iter().zip(&self.alignments);
            self.table.add_row(cells.map(|(column, alignment)| {
                Cell::new(printable(&column.value(row).to_string())).set_alignment(*alignment)
            }));
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        let Self { table, destination, left_out, .. } = *self;
        writeln!(destination, "{table}").map_err(|error| destination.io_failure(&error))?;
        Ok(left_out)
    }
}
