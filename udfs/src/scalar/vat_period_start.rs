use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array};
use arrow::datatypes::{DataType, Date32Type};
use datafusion::common::Result;
use tithe_compute::calendar::vat_period_start;

use super::row_function::{RowFunction, Totality, only};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "vat_period_start",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Gives the first day of a VAT period.",
    description: "Takes a period as vat_period writes it, yyyMM with an even month. The next period starts two months \
                  later. Full-width digits and blank space around the period are read as if plain.",
    syntax: "vat_period_start(period)",
    arguments: &[ArgumentDoc {
        name: "period",
        sql_type: "VARCHAR",
        description: "The period, such as '11210'.",
    }],
    returns: "DATE",
    nulls: "NULL for NULL.",
    errors: "None. A text that is no period, such as one with an odd month, gives NULL.",
    source: "Value-added and Non-value-added Business Tax Act §35: a return for every two months.",
    examples: &[Example {
        sql: "SELECT vat_period_start('11210') AS start, vat_period_start('11209') AS odd_month",
        result: "
+------------+-----------+
| start      | odd_month |
+------------+-----------+
| 2023-09-01 |           |
+------------+-----------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, |_| DataType::Date32, evaluate).into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let starts: Date32Array = text_rows(only(arguments)?)?
        .map(|period| Some(Date32Type::from_naive_date(vat_period_start(&field(period?)?)?)))
        .collect();
    Ok(Arc::new(starts))
}
