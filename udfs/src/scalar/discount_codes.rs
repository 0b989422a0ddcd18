use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringBuilder};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use tithe_compute::promotion;

use super::row_function::{RowFunction, Totality, only};
use super::struct_rows::{nullable_fields, struct_lists};
use super::text_rows::{Positions, normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "discount_codes",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Finds the discount codes that a text passes on.",
    description: "Full-width characters are read as half-width (Unicode NFKC) and zero-width characters are dropped first. A \
                  code is 3 to 20 letters, digits and underscores after words such as 折扣碼, 優惠碼, 專屬序號, 輸入, use my \
                  code or promo code. After English words it has to be in capitals, and after 輸入 alone it needs a letter and \
                  a digit or capital: small letters there are the rest of the sentence. A code shared by many creators is \
                  often the brand's own: it links the advertiser, not two creators.",
    syntax: "discount_codes(text)",
    arguments: &[ArgumentDoc {
        name: "text",
        sql_type: "VARCHAR",
        description: "A post, a video description, the text of a page (see html_text).",
    }],
    returns: "A list of STRUCT (code VARCHAR, as written; text VARCHAR, the code with the words that announce it; start \
              BIGINT, its first character in the normalised text, from 1), each code once (letter case apart), in the order of \
              the text, at most 64.",
    nulls: "NULL for NULL. A text without codes has an empty list.",
    errors: "None.",
    source: "Forms found in posts and video descriptions of Taiwan.",
    examples: &[Example {
        sql: "SELECT c['code'] AS code, c['text'] AS text, c['start'] AS start FROM (SELECT unnest(discount_codes('團購開跑！輸入折扣碼：ＸＩＡＯ88 享85折, use my code SAVE20 at checkout')) AS c)",
        result: "
+--------+--------------------+-------+
| code   | text               | start |
+--------+--------------------+-------+
| XIAO88 | 折扣碼:XIAO88      | 8     |
| SAVE20 | use my code SAVE20 | 25    |
+--------+--------------------+-------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| codes_type(), evaluate).into_entry()
}

fn code_fields() -> Fields {
    nullable_fields(&[("code", DataType::Utf8), ("text", DataType::Utf8), ("start", DataType::Int64)])
}

fn codes_type() -> DataType {
    DataType::new_list(DataType::Struct(code_fields()), true)
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (mut codes, mut texts, mut starts) =
        (StringBuilder::new(), StringBuilder::new(), Int64Builder::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for text in text_rows(only(arguments)?)? {
        valid.push(text.is_some());
        let text = normalise(text.unwrap_or_default());
        let found = promotion::discount_codes(&text);
        lengths.push(found.len());
        let mut positions = Positions::of(&text);
        for code in found {
            codes.append_value(code.code);
            texts.append_value(code.text);
            starts.append_value(positions.at(code.start));
        }
    }
    let columns: Vec<ArrayRef> =
        vec![Arc::new(codes.finish()), Arc::new(texts.finish()), Arc::new(starts.finish())];
    struct_lists(code_fields(), columns, lengths, Some(valid.into()))
}
