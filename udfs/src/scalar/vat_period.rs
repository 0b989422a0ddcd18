use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Date32Type};
use arrow::temporal_conversions::date32_to_datetime;
use datafusion::common::Result;
use tithe_compute::calendar::vat_period;

use super::row_function::{Argument, RowFunction, Totality, only};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "vat_period",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Gives the two-month VAT period a date falls in.",
    description: "The period is written yyyMM: the ROC year with three digits and the second, even month of the pair, \
                  as in the column period of tax.vat_return and invoice.header. Periods written so sort by time. A \
                  timestamp has no date before a time zone is chosen, so cast it first.",
    syntax: "vat_period(date)",
    arguments: &[ArgumentDoc {
        name: "date",
        sql_type: "DATE",
        description: "The date of the invoice or the sale.",
    }],
    returns: "VARCHAR of five digits.",
    nulls: "NULL for NULL.",
    errors: "None. Dates before 1912 and after ROC year 999 give NULL.",
    source: "Value-added and Non-value-added Business Tax Act §35: a return for every two months.",
    examples: &[Example {
        sql: "SELECT vat_period(DATE '2023-09-01') AS first_day, vat_period(DATE '2023-10-31') AS last_day, vat_period(DATE '2023-11-01') AS next",
        result: "
+-----------+----------+-------+
| first_day | last_day | next  |
+-----------+----------+-------+
| 11210     | 11210    | 11212 |
+-----------+----------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, |_| DataType::Utf8, evaluate)
        .with_arguments(&[&[Argument::Date]])
        .into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let periods: StringArray = only(arguments)?
        .as_primitive::<Date32Type>()
        .iter()
        .map(|date| vat_period(date32_to_datetime(date?)?.date()))
        .collect();
    Ok(Arc::new(periods))
}
