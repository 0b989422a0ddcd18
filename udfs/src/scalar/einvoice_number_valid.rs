use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::identifiers::einvoice_number_is_valid;

use super::row_function::{RowFunction, Totality, only};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "einvoice_number_valid",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Says whether a text has the form of a uniform-invoice number.",
    description: "A number has a track of two upper-case letters (字軌) and eight digits, with or without the hyphen \
                  that printed invoices put between them. It carries no check digit: this says nothing of whether the \
                  number was allotted or issued. Full-width characters and blank space around it are read as if plain.",
    syntax: "einvoice_number_valid(number)",
    arguments: &[ArgumentDoc { name: "number", sql_type: "VARCHAR", description: "The invoice number." }],
    returns: "BOOLEAN",
    nulls: "NULL for NULL.",
    errors: "None. Texts that are no number give false.",
    source: "E-invoice message implementation guideline (MIG) 4.1, field InvoiceNumber.",
    examples: &[Example {
        sql: "SELECT einvoice_number_valid('AB12345678') AS plain, einvoice_number_valid('AB-12345678') AS printed, einvoice_number_valid('A112345678') AS wrong",
        result: "
+-------+---------+-------+
| plain | printed | wrong |
+-------+---------+-------+
| true  | true    | false |
+-------+---------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| DataType::Boolean, evaluate).into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let valid: BooleanArray = text_rows(only(arguments)?)?
        .map(|number| {
            number.map(|number| field(number).is_some_and(|number| einvoice_number_is_valid(&number)))
        })
        .collect();
    Ok(Arc::new(valid))
}
