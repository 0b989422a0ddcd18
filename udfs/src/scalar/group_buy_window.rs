use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Builder, Int64Builder, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Fields};
use datafusion::common::{Result, internal_err};
use tithe_compute::promotion;

use super::row_function::{Argument, RowFunction, Totality};
use super::struct_rows::nullable_fields;
use super::text_rows::{Positions, normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "group_buy_window",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Reads the first and last day of the group buy that a text announces.",
    description: "Full-width characters are read as half-width (Unicode NFKC) and zero-width characters are dropped first. Reads \
                  【9/1-9/7 團】, 團購時間 114/9/1~114/9/7, 9月1日至7日開團, 收單 9/7 23:59: the first dates that stand beside a \
                  word of group buying on the same line. Years are of the common era or of the ROC; dates without a year take \
                  the one that puts them nearest to published, and an end before its beginning lies in the year after. Without \
                  published only dates with a year are read.",
    syntax: "group_buy_window(text [, published])",
    arguments: &[
        ArgumentDoc {
            name: "text",
            sql_type: "VARCHAR",
            description: "A post, a video description, the text of a page (see html_text).",
        },
        ArgumentDoc {
            name: "published",
            sql_type: "DATE",
            description: "The day on which the text appeared.",
        },
    ],
    returns: "STRUCT of first_day DATE and last_day DATE, one of them NULL where only the other is written; text VARCHAR, the \
              dates as written; start BIGINT, its first character in the normalised text, from 1.",
    nulls: "NULL for a NULL argument, and where no window is found, a day does not exist, or it would be longer than 92 days.",
    errors: "None.",
    source: "Forms found in group-buy posts of Taiwan.",
    examples: &[Example {
        sql: "SELECT w['first_day'] AS first_day, w['last_day'] AS last_day, w['text'] AS text FROM (SELECT group_buy_window('【９/１－９/７ 團】膠原飲', DATE '2025-08-30') AS w UNION ALL SELECT group_buy_window('團購 114/9/1~114/9/7') UNION ALL SELECT group_buy_window('收單 9/7 23:59', DATE '2025-09-03')) ORDER BY text",
        result: "
+------------+------------+-----------------+
| first_day  | last_day   | text            |
+------------+------------+-----------------+
| 2025-09-01 | 2025-09-07 | 114/9/1~114/9/7 |
| 2025-09-01 | 2025-09-07 | 9/1-9/7         |
|            | 2025-09-07 | 9/7 23:59       |
+------------+------------+-----------------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, |_| DataType::Struct(window_fields()), evaluate)
        .with_arguments(&[&[Argument::Text], &[Argument::Text, Argument::Date]])
        .into_entry()
}

fn window_fields() -> Fields {
    nullable_fields(&[
        ("first_day", DataType::Date32),
        ("last_day", DataType::Date32),
        ("text", DataType::Utf8),
        ("start", DataType::Int64),
    ])
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, dates) = match arguments {
        [texts] => (texts, None),
        [texts, dates] => (texts, Some(dates.as_primitive::<Date32Type>())),
        _ => return internal_err!("{} was called with {} arguments", DOC.name, arguments.len()),
    };
    let (mut first, mut last) = (Date32Builder::new(), Date32Builder::new());
    let (mut written, mut starts) = (StringBuilder::new(), Int64Builder::new());
    let mut valid = Vec::new();
    for (row, text) in text_rows(texts)?.enumerate() {
        let (published, known) = match dates {
            None => (None, true),
            Some(dates) => {
                // A constant comes as one row.
                let row = if dates.len() == 1 { 0 } else { row };
                (dates.is_valid(row).then(|| dates.value_as_date(row)).flatten(), dates.is_valid(row))
            }
        };
        let text = normalise(text.filter(|_| known).unwrap_or_default());
        let found = promotion::group_buy_window(&text, published);
        valid.push(found.is_some());
        first.append_option(found.and_then(|window| window.first).map(Date32Type::from_naive_date));
        last.append_option(found.and_then(|window| window.last).map(Date32Type::from_naive_date));
        written.append_option(found.map(|window| window.text));
        starts.append_option(found.map(|window| Positions::of(&text).at(window.start)));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(first.finish()),
        Arc::new(last.finish()),
        Arc::new(written.finish()),
        Arc::new(starts.finish()),
    ];
    Ok(Arc::new(StructArray::try_new(window_fields(), columns, Some(NullBuffer::from(valid)))?))
}
