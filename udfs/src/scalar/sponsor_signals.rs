//! `sponsor_signals`: what a post, a description or a page says about being paid for.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, internal_datafusion_err};
use tithe_compute::promotion::{SponsorLexicon, SponsorSignals};

use super::row_function::{RowFunction, Totality, only};
use super::struct_rows::{nullable_fields, struct_lists, text_list_type};
use super::text_rows::{Positions, normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "sponsor_signals",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Finds signs of sponsorship and commerce in a text, with the evidence and its weight.",
    description: "Matches the text against a lexicon of phrases in Traditional Chinese, English and Japanese. Full-width \
                  characters are read as half-width (Unicode NFKC) and zero-width characters are dropped first. Every \
                  phrase counts once a text. Negations (無業配, 自費) are matched first and their words count for nothing \
                  else, so the 業配 of 無業配 is no disclosure; likewise a weak disclosure within an explicit one. score is \
                  the sum of the log-odds, less those of the class donation, which marks an income of the creator's own \
                  rather than a sponsor. sponsored is score >= 2, even odds where one text in eight is sponsored. A score \
                  is a reason to look, not a finding. Privacy: the mailbox of an e-mail address is struck out of the \
                  evidence, and bank details are only flagged (class bank_hint), never quoted.",
    syntax: "sponsor_signals(text)",
    arguments: &[ArgumentDoc {
        name: "text",
        sql_type: "VARCHAR",
        description: "A post, a video description, the text of a page (see html_text).",
    }],
    returns: "STRUCT of score DOUBLE; classes, a list of the classes found, in the order of the lexicon; sponsored BOOLEAN; \
              negated BOOLEAN; evidence, a list of STRUCT (id, class, text of at most 120 characters, start, log_odds) in \
              the order of the text, where start counts characters of the normalised text from 1; discount_codes and \
              ban_hints, lists of at most 64 distinct texts each. ban_hints are eight digits after 統一編號 or the like: \
              check them with ban_valid.",
    nulls: "NULL for NULL. A text without signs has score 0 and empty lists.",
    errors: "None.",
    source: "Lexicon of disclosure, discount, group-buying, affiliate, donation and contact phrases kept beside the \
             function (udfs/compute/src/promotion/sponsor/lexicon.tsv).",
    examples: &[
        Example {
            sql: "SELECT s['score'] AS score, s['sponsored'] AS sponsored, s['classes'] AS classes, s['discount_codes'] AS codes FROM (SELECT sponsor_signals('#業配 輸入折扣碼：XIAO88 享85折') AS s)",
            result: "
+-------+-----------+------------------------------------------------+----------+
| score | sponsored | classes                                        | codes    |
+-------+-----------+------------------------------------------------+----------+
| 6.9   | true      | [explicit_disclosure, discount_code, discount] | [XIAO88] |
+-------+-----------+------------------------------------------------+----------+
",
        },
        Example {
            sql: "SELECT s['score'] AS score, s['sponsored'] AS sponsored, s['negated'] AS negated FROM (SELECT sponsor_signals('無業配，自己花錢買的') AS s)",
            result: "
+-------+-----------+---------+
| score | sponsored | negated |
+-------+-----------+---------+
| -3.0  | false     | true    |
+-------+-----------+---------+
",
        },
        Example {
            sql: "SELECT e['id'] AS id, e['class'] AS class, e['text'] AS text, e['start'] AS start FROM (SELECT unnest(sponsor_signals('團購開跑！合作邀約：biz@agency.example 統編１２３４５６７５')['evidence']) AS e)",
            result: "
+-----+------------------+-----------------------------+-------+
| id  | class            | text                        | start |
+-----+------------------+-----------------------------+-------+
| Z06 | group_buy        | 團購                        | 1     |
| Z09 | business_contact | 合作邀約:***@agency.example | 6     |
| Z12 | ban_hint         | 統編12345675                | 30    |
+-----+------------------+-----------------------------+-------+
",
        },
    ],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| DataType::Struct(signal_fields()), evaluate).into_entry()
}

fn evidence_fields() -> Fields {
    nullable_fields(&[
        ("id", DataType::Utf8),
        ("class", DataType::Utf8),
        ("text", DataType::Utf8),
        ("start", DataType::Int64),
        ("log_odds", DataType::Float64),
    ])
}

fn signal_fields() -> Fields {
    nullable_fields(&[
        ("score", DataType::Float64),
        ("classes", text_list_type()),
        ("sponsored", DataType::Boolean),
        ("negated", DataType::Boolean),
        ("evidence", DataType::new_list(DataType::Struct(evidence_fields()), true)),
        ("discount_codes", text_list_type()),
        ("ban_hints", text_list_type()),
    ])
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let lexicon = SponsorLexicon::shipped().map_err(|what| internal_datafusion_err!("{what}"))?;
    let mut columns = Columns::default();
    for text in text_rows(only(arguments)?)? {
        let text = text.map(normalise);
        columns.push(text.as_deref().map(|text| (text, lexicon.signals(text))));
    }
    columns.finish()
}

#[derive(Debug, Default)]
struct Columns {
    valid: Vec<bool>,
    score: Float64Builder,
    classes: ListBuilder<StringBuilder>,
    sponsored: BooleanBuilder,
    negated: BooleanBuilder,
    evidence_lengths: Vec<usize>,
    evidence_id: StringBuilder,
    evidence_class: StringBuilder,
    evidence_text: StringBuilder,
    evidence_start: Int64Builder,
    evidence_log_odds: Float64Builder,
    discount_codes: ListBuilder<StringBuilder>,
    ban_hints: ListBuilder<StringBuilder>,
}

impl Columns {
    /// A normalised text and what it says.
    fn push(&mut self, signals: Option<(&str, SponsorSignals)>) {
        let valid = signals.is_some();
        let (text, signals) = signals.unzip();
        self.valid.push(valid);
        self.score.append_option(signals.as_ref().map(|signals| signals.score));
        self.sponsored.append_option(signals.as_ref().map(|signals| signals.sponsored));
        self.negated.append_option(signals.as_ref().map(|signals| signals.negated));
        let signals = signals.unwrap_or_default();
        push_list(&mut self.classes, &signals.classes, valid);
        push_list(&mut self.discount_codes, &signals.discount_codes, valid);
        push_list(&mut self.ban_hints, &signals.ban_hints, valid);
        self.evidence_lengths.push(signals.evidence.len());
        let mut positions = Positions::of(text.unwrap_or_default());
        for evidence in signals.evidence {
            self.evidence_id.append_value(evidence.id);
            self.evidence_class.append_value(evidence.class);
            self.evidence_text.append_value(evidence.text);
            self.evidence_start.append_value(positions.at(evidence.start));
            self.evidence_log_odds.append_value(evidence.log_odds);
        }
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let nulls = NullBuffer::from(self.valid);
        let evidence = struct_lists(
            evidence_fields(),
            vec![
                Arc::new(self.evidence_id.finish()),
                Arc::new(self.evidence_class.finish()),
                Arc::new(self.evidence_text.finish()),
                Arc::new(self.evidence_start.finish()),
                Arc::new(self.evidence_log_odds.finish()),
            ],
            self.evidence_lengths,
            Some(nulls.clone()),
        )?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.score.finish()),
            Arc::new(self.classes.finish()),
            Arc::new(self.sponsored.finish()),
            Arc::new(self.negated.finish()),
            evidence,
            Arc::new(self.discount_codes.finish()),
            Arc::new(self.ban_hints.finish()),
        ];
        Ok(Arc::new(StructArray::try_new(signal_fields(), columns, Some(nulls))?))
    }
}

fn push_list(list: &mut ListBuilder<StringBuilder>, texts: &[impl AsRef<str>], valid: bool) {
    for text in texts {
        list.values().append_value(text);
    }
    list.append(valid);
}
