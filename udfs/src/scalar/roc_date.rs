use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, StringArray};
use arrow::datatypes::{DataType, Date32Type};
use arrow::temporal_conversions::date32_to_datetime;
use datafusion::common::Result;
use tithe_compute::calendar::{format_roc_date, parse_roc_date};

use super::row_function::{Argument, RowFunction, Totality, only};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "roc_date",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Turns a ROC date (民國) into a DATE, and a DATE into a ROC date.",
    description: "From text it takes 114/9/1, 114-9-1, 114.9.1, 114年9月1日, the compact 1140901 and 990901, with or \
                  without 民國 before; in the form with 年月日 the numbers may be Chinese (一百一十四年九月一日, 元年). \
                  Full-width characters are read as if plain. A year has one to three digits: a Gregorian date such as \
                  2025/9/1 is not taken for a ROC date. From a DATE it writes year/month/day, month and day with two \
                  digits. A timestamp has no date before a time zone is chosen, so cast it first.",
    syntax: "roc_date(text) | roc_date(date)",
    arguments: &[ArgumentDoc {
        name: "date",
        sql_type: "VARCHAR or DATE",
        description: "The date to turn. ROC year = Gregorian year − 1911.",
    }],
    returns: "DATE from text, VARCHAR from a DATE.",
    nulls: "NULL for NULL.",
    errors: "None. A text that is no ROC date, a day that does not exist, and a DATE before 1912 give NULL.",
    source: "ROC calendar as used in tax forms: year 1 is 1912.",
    examples: &[
        Example {
            sql: "SELECT roc_date('114/9/1') AS slashes, roc_date('民國１１４年９月１日') AS written, roc_date('1140901') AS compact, roc_date('2025/9/1') AS not_roc",
            result: "
+------------+------------+------------+---------+
| slashes    | written    | compact    | not_roc |
+------------+------------+------------+---------+
| 2025-09-01 | 2025-09-01 | 2025-09-01 |         |
+------------+------------+------------+---------+
",
        },
        Example {
            sql: "SELECT roc_date(DATE '2025-09-01') AS roc",
            result: "
+-----------+
| roc       |
+-----------+
| 114/09/01 |
+-----------+
",
        },
    ],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, result_type, evaluate)
        .with_arguments(&[&[Argument::Text], &[Argument::Date]])
        .into_entry()
}

fn result_type(arguments: &[DataType]) -> DataType {
    match arguments {
        [DataType::Date32] => DataType::Utf8,
        _ => DataType::Date32,
    }
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let dates = only(arguments)?;
    if let Some(dates) = dates.as_primitive_opt::<Date32Type>() {
        let texts: StringArray =
            dates.iter().map(|date| format_roc_date(date32_to_datetime(date?)?.date())).collect();
        return Ok(Arc::new(texts));
    }
    let dates: Date32Array = text_rows(dates)?
        .map(|text| Some(Date32Type::from_naive_date(parse_roc_date(&field(text?)?)?)))
        .collect();
    Ok(Arc::new(dates))
}
