use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::identifiers::tw_id_kind;

use super::row_function::{RowFunction, Totality, only};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "tw_id_valid",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Says whether a text is a personal number of Taiwan whose check digit is right.",
    description: "Takes the national identity number (letter, 1 or 2, eight digits), the resident certificate number \
                  in its form since 2021 (letter, 8 or 9, eight digits) and in its former form (letter, A to D, eight \
                  digits). A right check digit does not mean that the number was issued. Full-width characters and \
                  blank space around the number are read as if plain; letters are upper case, as issued.",
    syntax: "tw_id_valid(id)",
    arguments: &[ArgumentDoc { name: "id", sql_type: "VARCHAR", description: "The number." }],
    returns: "BOOLEAN",
    nulls: "NULL for NULL.",
    errors: "None. Texts that are no number give false.",
    source: "Ministry of the Interior, numbering rules of the 國民身分證 and of the 統一證號 (new form since 2021-01-02).",
    examples: &[Example {
        sql: "SELECT tw_id_valid('A123456789') AS national, tw_id_valid('A800000014') AS resident, tw_id_valid('A123456788') AS wrong",
        result: "
+----------+----------+-------+
| national | resident | wrong |
+----------+----------+-------+
| true     | true     | false |
+----------+----------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| DataType::Boolean, evaluate).into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let valid: BooleanArray = text_rows(only(arguments)?)?
        .map(|id| id.map(|id| field(id).is_some_and(|id| tw_id_kind(&id).is_some())))
        .collect();
    Ok(Arc::new(valid))
}
