use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Builder, StringBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, internal_datafusion_err};
use regex::Regex;
use tithe_compute::identifiers::{luhn_is_valid, tw_id_kind};
use tithe_compute::text::mask_mailboxes;

use super::row_function::{RowFunction, Totality, only};
use super::struct_rows::{nullable_fields, struct_lists};
use super::text_rows::{normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

/// Most findings given for one text.
const MOST_FINDINGS: usize = 1_000;

static DOC: FunctionDoc = FunctionDoc {
    name: "pii_find",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Finds personal data in a text and gives it masked.",
    description: "Finds e-mail addresses (kind email), personal numbers of Taiwan with a right check digit (national_id, see \
                  tw_id_valid; either case), payment-card numbers that pass the Luhn check (card), telephone numbers of \
                  Taiwan (phone: mobile, or a landline with its area code set off) and account numbers named as such \
                  (bank_account: ten digits or more after 帳號, 匯款, 銀行 or the like). Full-width characters are read as \
                  half-width (Unicode NFKC) and zero-width characters are dropped first. Findings do not overlap. It looks \
                  for forms: a name or an address has none, so an empty list does not mean that a text holds no personal \
                  data.",
    syntax: "pii_find(text)",
    arguments: &[ArgumentDoc { name: "text", sql_type: "VARCHAR", description: "Any text." }],
    returns: "A list of at most 1,000 STRUCT (kind VARCHAR, start BIGINT, masked VARCHAR) in the order of the text; start counts \
              characters of the normalised text from 1. Masked keeps the domain of an address, the letter of a personal \
              number, the last four digits of a card and the last three of a telephone or account number.",
    nulls: "NULL for NULL. A text without findings has an empty list.",
    errors: "None.",
    source: "Personal Data Protection Act §2 (direct identifiers); check digits as in tw_id_valid; ISO/IEC 7812-1 annex B.",
    examples: &[Example {
        sql: "SELECT f['kind'] AS kind, f['start'] AS start, f['masked'] AS masked FROM (SELECT unnest(pii_find('王小明 A123456789 電話０９１２-345-678 信箱 ming@mail.example')) AS f)",
        result: "
+-------------+-------+------------------+
| kind        | start | masked           |
+-------------+-------+------------------+
| national_id | 5     | A*********       |
| phone       | 18    | ****-***-678     |
| email       | 34    | ***@mail.example |
+-------------+-------+------------------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(
        &DOC,
        Totality::Total,
        |_| DataType::new_list(DataType::Struct(finding_fields()), true),
        evaluate,
    )
    .into_entry()
}

fn finding_fields() -> Fields {
    nullable_fields(&[("kind", DataType::Utf8), ("start", DataType::Int64), ("masked", DataType::Utf8)])
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let detectors = detectors()?;
    let (mut kinds, mut starts, mut masks) =
        (StringBuilder::new(), Int64Builder::new(), StringBuilder::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for text in text_rows(only(arguments)?)? {
        let findings = text.map(|text| find(detectors, &normalise(text))).unwrap_or_default();
        lengths.push(findings.len());
        valid.push(text.is_some());
        for finding in findings {
            kinds.append_value(finding.kind);
            starts.append_value(finding.start);
            masks.append_value(finding.masked);
        }
    }
    let columns: Vec<ArrayRef> =
        vec![Arc::new(kinds.finish()), Arc::new(starts.finish()), Arc::new(masks.finish())];
    struct_lists(finding_fields(), columns, lengths, Some(NullBuffer::from(valid)))
}

#[derive(Debug)]
struct Detector {
    kind: &'static str,
    pattern: Regex,
    /// What the form alone does not say.
    confirm: fn(&str) -> bool,
    mask: fn(&str) -> String,
}

/// In order of preference: of two findings that begin together the earlier kind stands.
fn detectors() -> Result<&'static [Detector]> {
    static DETECTORS: LazyLock<Result<Vec<Detector>, regex::Error>> = LazyLock::new(|| {
        let detector = |kind, pattern, confirm, mask| {
            Regex::new(pattern).map(|pattern| Detector { kind, pattern, confirm, mask })
        };
        Ok(vec![
            detector(
                "email",
                r"(?<found>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})",
                |_| true,
                |found| mask_mailboxes(found).into_owned(),
            )?,
            detector(
                "national_id",
                r"(?-u:\b)(?<found>[A-Za-z][A-Da-d1289][0-9]{8})(?-u:\b)",
                |found| tw_id_kind(&found.to_ascii_uppercase()).is_some(),
                |found| found.chars().take(1).chain(std::iter::repeat_n('*', 9)).collect(),
            )?,
            detector(
                "card",
                r"(?-u:\b)(?<found>[2-6][0-9]{3}(?:[ -]?[0-9]){9,15})(?-u:\b)",
                |found| luhn_is_valid(&digits(found)),
                |found| mask_digits(found, 4),
            )?,
            detector(
                "phone",
                r"(?<found>(?:\+886[ -]?|(?-u:\b)886[ -]?|(?-u:\b)0)9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}|\(0[2-8][0-9]{0,2}\) ?[0-9]{3,4}[ -]?[0-9]{4}|(?-u:\b)0[2-8][0-9]{0,2}[ -][0-9]{3,4}[ -]?[0-9]{4})(?-u:\b)",
                |_| true,
                |found| mask_digits(found, 3),
            )?,
            detector(
                "bank_account",
                r"(?i)(?:帳號|帳戶|戶名|匯款|轉帳|銀行|郵局|account)[^0-9\n]{0,12}(?<found>[0-9](?:[ -]?[0-9]){9,18})(?-u:\b)",
                |_| true,
                |found| mask_digits(found, 3),
            )?,
        ])
    });
    match &*DETECTORS {
        Ok(detectors) => Ok(detectors),
        Err(error) => Err(internal_datafusion_err!("pii_find: {error}")),
    }
}

#[derive(Debug, PartialEq)]
struct Finding {
    kind: &'static str,
    start: i64,
    masked: String,
}

fn find(detectors: &[Detector], text: &str) -> Vec<Finding> {
    let mut candidates: Vec<(Range<usize>, usize, &Detector)> = Vec::new();
    for (preference, detector) in detectors.iter().enumerate() {
        let spans = detector.pattern.captures_iter(text).filter_map(|captures| captures.name("found"));
        let confirmed = spans.filter(|found| (detector.confirm)(found.as_str()));
        candidates.extend(confirmed.map(|found| (found.range(), preference, detector)));
    }
    candidates.sort_by_key(|(span, preference, _)| (span.start, *preference));

    let mut findings = Vec::new();
    let (mut characters, mut counted, mut free_from) = (0_usize, 0_usize, 0_usize);
    for (span, _, detector) in candidates {
        if span.start < free_from || findings.len() == MOST_FINDINGS {
            continue;
        }
        characters += text.get(counted..span.start).map_or(0, |between| between.chars().count());
        (counted, free_from) = (span.start, span.end);
        findings.push(Finding {
            kind: detector.kind,
            start: i64::try_from(characters + 1).unwrap_or(i64::MAX),
            masked: text.get(span).map(detector.mask).unwrap_or_default(),
        });
    }
    findings
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn mask_digits(text: &str, shown: usize) -> String {
    let hidden = digits(text).len().saturating_sub(shown);
    let mut seen = 0;
    text.chars()
        .map(|c| {
            seen += usize::from(c.is_ascii_digit());
            if c.is_ascii_digit() && seen <= hidden { '*' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{MOST_FINDINGS, detectors, find};
    use crate::scalar::text_rows::normalise;

    fn found(text: &str) -> Vec<(&'static str, i64, String)> {
        find(detectors().unwrap(), &normalise(text))
            .into_iter()
            .map(|finding| (finding.kind, finding.start, finding.masked))
            .collect()
    }

    #[test]
    fn finds_and_masks() {
        for (text, kind, start, masked) in [
            ("A123456789", "national_id", 1, "A*********"),
            ("身分證a123456789。", "national_id", 4, "a*********"),
            ("居留證A800000014", "national_id", 4, "A*********"),
            ("身分證Ａ１２３４５６７８９", "national_id", 4, "A*********"),
            ("信箱 biz.tw+1@mail.example.tw,", "email", 4, "***@mail.example.tw"),
            ("電話0912345678", "phone", 3, "*******678"),
            ("電話 0912-345-678", "phone", 4, "****-***-678"),
            ("+886 912 345 678", "phone", 1, "+*** *** *** 678"),
            ("(02) 2345-6789", "phone", 1, "(**) ****-*789"),
            ("02-23456789", "phone", 1, "**-*****789"),
            ("卡號4111 1111 1111 1111", "card", 3, "**** **** **** 1111"),
            ("4111111111111111", "card", 1, "************1111"),
            ("匯款帳號：012-345678901234", "bank_account", 6, "***-*********234"),
        ] {
            assert_eq!(found(text), [(kind, start, masked.to_owned())], "{text}");
        }
    }

    #[test]
    fn leaves_other_numbers_alone() {
        for text in [
            "",
            "A123456788",
            "AB12345678",
            "統編12345675",
            "NT$1,234,567,890",
            "2025-09-01 12:30:45",
            "4111111111111112",
            "41111111111111111111111111",
            "xA123456789",
            "A1234567890",
            "me @ home",
            "1719792000000",
            "帳號 12345",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn lists_findings_in_order_up_to_the_limit() {
        let kinds: Vec<_> = found("0912345678 a@b.tw A123456789 帳號 4111111111111111")
            .into_iter()
            .map(|(kind, ..)| kind)
            .collect();
        assert_eq!(kinds, ["phone", "email", "national_id", "card"]);
        assert_eq!(found(&"a@b.tw ".repeat(2_000)).len(), MOST_FINDINGS);
        assert_eq!(
            found(&("中".repeat(300_000) + " A123456789")).first().map(|(_, start, _)| *start),
            Some(300_002)
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "[A-Ca-c0-9@. +()-帳號匯款]{0,60}", any_text in any::<String>()) {
            let _ = found(&text);
            let _ = found(&any_text);
        }
    }
}
