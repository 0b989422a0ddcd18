use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int64Builder, StringBuilder};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use tithe_compute::amount::{self, AmountKind};

use super::row_function::{RowFunction, Totality, only};
use super::struct_rows::{nullable_fields, struct_lists};
use super::text_rows::{Positions, normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "extract_amounts",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Finds the amounts of money and the discounts in a text.",
    description: "Full-width characters are read as half-width (Unicode NFKC) and zero-width characters are dropped first. A \
                  number alone is no amount. kind tells what makes it one: money, a currency mark or a word for a price stands \
                  with it (NT$1,280, 3萬5元, 團購價1180, 酬勞 2.5w); reduction, dollars off (現折100); threshold, what one has to \
                  buy for (滿1000); percent_off, 85折 is 15, 五折 is 50, 20% off is 20; bare, a number with 萬 or 億 that counts \
                  nothing named after it (1.2萬, but not 1.2萬訂閱); foreign, another currency, which is not converted.",
    syntax: "extract_amounts(text)",
    arguments: &[ArgumentDoc {
        name: "text",
        sql_type: "VARCHAR",
        description: "A post, a video description, the text of a page (see html_text).",
    }],
    returns: "A list of STRUCT (kind VARCHAR; amount BIGINT, whole NT$; percent_off DOUBLE; text VARCHAR, the number with \
              its marks; start BIGINT, its first character in the normalised text, from 1), in the order of the text, at most \
              1,024.",
    nulls: "NULL for NULL; amount is NULL for percent_off and foreign, percent_off for everything else. A text without \
            amounts has an empty list.",
    errors: "None.",
    source: "Forms found in posts, price tags and documents of Taiwan; numbers are read as by parse_twd.",
    examples: &[Example {
        sql: "SELECT a['kind'] AS kind, a['amount'] AS amount, a['percent_off'] AS percent_off, a['text'] AS text, a['start'] AS start FROM (SELECT unnest(extract_amounts('原價ＮＴ＄１，２８０，85折！滿1000現折100，破1.2萬訂閱')) AS a)",
        result: "
+-------------+--------+-------------+----------+-------+
| kind        | amount | percent_off | text     | start |
+-------------+--------+-------------+----------+-------+
| money       | 1280   |             | NT$1,280 | 3     |
| percent_off |        | 15.0        | 85折     | 12    |
| threshold   | 1000   |             | 滿1000   | 16    |
| reduction   | 100    |             | 現折100  | 21    |
+-------------+--------+-------------+----------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| amounts_type(), evaluate).into_entry()
}

fn amount_fields() -> Fields {
    nullable_fields(&[
        ("kind", DataType::Utf8),
        ("amount", DataType::Int64),
        ("percent_off", DataType::Float64),
        ("text", DataType::Utf8),
        ("start", DataType::Int64),
    ])
}

fn amounts_type() -> DataType {
    DataType::new_list(DataType::Struct(amount_fields()), true)
}

/// Name, dollars and percentage of a kind.
fn shown(kind: AmountKind) -> (&'static str, Option<i64>, Option<f64>) {
    match kind {
        AmountKind::Money(dollars) => ("money", Some(dollars), None),
        AmountKind::Reduction(dollars) => ("reduction", Some(dollars), None),
        AmountKind::Threshold(dollars) => ("threshold", Some(dollars), None),
        AmountKind::Bare(dollars) => ("bare", Some(dollars), None),
        AmountKind::PercentOff(percent) => ("percent_off", None, Some(percent)),
        AmountKind::Foreign => ("foreign", None, None),
    }
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (mut kinds, mut amounts, mut percents) =
        (StringBuilder::new(), Int64Builder::new(), Float64Builder::new());
    let (mut texts, mut starts) = (StringBuilder::new(), Int64Builder::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for text in text_rows(only(arguments)?)? {
        valid.push(text.is_some());
        let text = normalise(text.unwrap_or_default());
        let found = amount::extract_amounts(&text);
        lengths.push(found.len());
        let mut positions = Positions::of(&text);
        for amount in found {
            let (kind, dollars, percent) = shown(amount.kind);
            kinds.append_value(kind);
            amounts.append_option(dollars);
            percents.append_option(percent);
            texts.append_value(amount.text);
            starts.append_value(positions.at(amount.start));
        }
    }
    struct_lists(
        amount_fields(),
        vec![
            Arc::new(kinds.finish()),
            Arc::new(amounts.finish()),
            Arc::new(percents.finish()),
            Arc::new(texts.finish()),
            Arc::new(starts.finish()),
        ],
        lengths,
        Some(valid.into()),
    )
}
