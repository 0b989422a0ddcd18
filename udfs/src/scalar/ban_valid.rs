use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::ReturnFieldArgs;
use tithe_compute::identifiers::{BanRule, ban_is_valid};

use super::row_function::{Argument, RowFunction, Totality};
use super::text_rows::{field, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

static DOC: FunctionDoc = FunctionDoc {
    name: "ban_valid",
    kind: FunctionKind::Scalar,
    section: "Tax domain",
    summary: "Says whether a text is a business administration number (統一編號) whose check digit is right.",
    description: "A number has eight digits. The rule 'new', in force since 2023-04-01, asks for a weighted digit sum \
                  that is a multiple of five; 'old' asks for a multiple of ten and is what every number issued before \
                  passes. Whatever passes 'old' passes 'new'. A right check digit does not mean that the number was \
                  issued. Full-width digits and blank space around the number are read as if plain. 00000000, the \
                  usual stand-in for no number, is not valid.",
    syntax: "ban_valid(ban [, rule])",
    arguments: &[
        ArgumentDoc {
            name: "ban",
            sql_type: "VARCHAR",
            description: "The number. An integer has lost its leading zeros and is not taken.",
        },
        ArgumentDoc { name: "rule", sql_type: "VARCHAR literal", description: "'new' (default) or 'old'." },
    ],
    returns: "BOOLEAN",
    nulls: "NULL for NULL.",
    errors: "When planned: a rule that is not the literal 'old' or 'new'. Texts that are no number give false.",
    source: "Ministry of Finance, check rule of the 統一編號 and its extension in force since 2023-04-01.",
    examples: &[
        Example {
            sql: "SELECT ban_valid('12345675') AS plain, ban_valid('１２３４５６７５') AS full_width, ban_valid('12345678') AS wrong",
            result: "
+-------+------------+-------+
| plain | full_width | wrong |
+-------+------------+-------+
| true  | true       | false |
+-------+------------+-------+
",
        },
        Example {
            sql: "SELECT ban_valid('12345670') AS now, ban_valid('12345670', 'old') AS before_april_2023",
            result: "
+------+-------------------+
| now  | before_april_2023 |
+------+-------------------+
| true | false             |
+------+-------------------+
",
        },
    ],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Total, |_| DataType::Boolean, evaluate)
        .with_arguments(&[&[Argument::Text], &[Argument::Text, Argument::Text]])
        .with_check(check_rule)
        .into_entry()
}

fn check_rule(call: &ReturnFieldArgs) -> Result<()> {
    let Some(rule) = call.scalar_arguments.get(1) else { return Ok(()) };
    match rule.and_then(|rule| rule.try_as_str().flatten()).and_then(rule_named) {
        Some(_) => Ok(()),
        None => plan_err!("ban_valid: the argument rule takes the literal 'old' or 'new'"),
    }
}

fn rule_named(name: &str) -> Option<BanRule> {
    match name {
        "new" => Some(BanRule::New),
        "old" => Some(BanRule::Old),
        _ => None,
    }
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let Some((bans, rules)) = arguments.split_first() else {
        return internal_err!("ban_valid was called with nothing");
    };
    let rule = match rules.first() {
        None => BanRule::New,
        Some(rules) => match text_rows(rules)?.next() {
            None => BanRule::New,
            Some(name) => match name.and_then(rule_named) {
                Some(rule) => rule,
                None => return internal_err!("ban_valid was planned with an unknown rule"),
            },
        },
    };
    let valid: BooleanArray = text_rows(bans)?
        .map(|ban| ban.map(|ban| field(ban).is_some_and(|ban| ban_is_valid(&ban, rule))))
        .collect();
    Ok(Arc::new(valid))
}
