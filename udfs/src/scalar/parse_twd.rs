use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use tithe_compute::amount;

use super::row_function::{RowFunction, Totality, only};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "parse_twd",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Reads an amount of New Taiwan dollars as people write it.",
    description: "Takes NT$1,280, 1,280元, 新台幣3萬元整, 1.2萬, 1萬2, 1.5億, 二千五百, 壹萬貳仟元整, 1k+, 2.5w, 1.5M, -500 \
                  and (1,280), in half-width or full-width characters: k is a thousand, w ten thousand, m a million, \
                  and a single digit that closes a number right after a unit counts in the next lower unit, as spoken. \
                  A closing +, 起, 以上, 左右 or 整 is read over: the number is what counts. The whole text has to be \
                  one amount.",
    syntax: "parse_twd(text)",
    arguments: &[ArgumentDoc {
        name: "text",
        sql_type: "VARCHAR",
        description: "One amount, at most 64 characters.",
    }],
    returns: "BIGINT, whole NT$; fractions of a dollar are rounded, halves away from zero.",
    nulls: "NULL for NULL.",
    errors: "None. A text that is no amount of NT$ gives NULL: other currencies, two amounts, ranges, percentages, \
             commas out of place, numbers past 64 bits.",
    source: "Forms found in posts, price tags and documents of Taiwan.",
    examples: &[Example {
        sql: "SELECT t AS written, parse_twd(t) AS twd FROM (VALUES ('NT$1,280'), ('１，２８０元'), ('1.2萬'), ('二千五百'), ('1k+'), ('US$100')) AS v(t)",
        result: "
+--------------+-------+
| written      | twd   |
+--------------+-------+
| NT$1,280     | 1280  |
| １，２８０元 | 1280  |
| 1.2萬        | 12000 |
| 二千五百     | 2500  |
| 1k+          | 1000  |
| US$100       |       |
+--------------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, |_| DataType::Int64, evaluate).into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let amounts: Int64Array =
        text_rows(only(arguments)?)?.map(|text| amount::parse_twd(&field(text?)?)).collect();
    Ok(Arc::new(amounts))
}
