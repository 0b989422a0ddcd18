//! The evidence struct: which fields it may have, and its rows.

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::common::cast::{
    as_boolean_array, as_float64_array, as_int64_array, as_list_array, as_string_array,
};
use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::common::{Result, plan_err};
use tithe_compute::income::Evidence;

use super::NAME;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Truth,
    Amounts,
}

const FIELDS: [(&str, Kind); 14] = [
    ("channel_id", Kind::Text),
    ("year", Kind::Integer),
    ("followers", Kind::Number),
    ("annual_views", Kind::Number),
    ("category", Kind::Text),
    ("posts", Kind::Number),
    ("sponsored_posts", Kind::Number),
    ("donation_signal", Kind::Truth),
    ("group_buy_signal", Kind::Truth),
    ("seen_deal_amounts", Kind::Amounts),
    ("remittance_twd", Kind::Number),
    ("declared_income", Kind::Number),
    ("foreign_audience_share", Kind::Number),
    ("is_minor", Kind::Truth),
];

impl Kind {
    fn takes(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (_, DataType::Null) => true,
            (_, DataType::Dictionary(_, values)) => self.takes(values),
            (Self::Text, _) => data_type.is_string(),
            (Self::Integer, _) => data_type.is_integer(),
            (Self::Number, _) => data_type.is_numeric(),
            (Self::Truth, _) => matches!(data_type, DataType::Boolean),
            (
                Self::Amounts,
                DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _),
            ) => Self::Number.takes(item.data_type()),
            (Self::Amounts, _) => false,
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Truth => "a boolean",
            Self::Amounts => "a list of numbers",
        }
    }

    fn target(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Truth => DataType::Boolean,
            Self::Amounts => DataType::List(Field::new_list_field(DataType::Float64, true).into()),
        }
    }
}

/// Checks the type of the evidence when a query is planned.
pub(super) fn check(data_type: &DataType) -> Result<()> {
    let fields = match data_type {
        DataType::Null => return Ok(()),
        DataType::Struct(fields) => fields,
        other => {
            return plan_err!(
                "{NAME}: evidence takes a STRUCT, such as named_struct('followers', 20000), got {other}"
            );
        }
    };
    for (position, field) in fields.iter().enumerate() {
        let name = field.name().as_str();
        let Some((_, kind)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            return plan_err!("{NAME}: evidence has no field '{name}'; did you mean '{}'?", nearest(name));
        };
        if !kind.takes(field.data_type()) {
            return plan_err!(
                "{NAME}: evidence field '{name}' takes {}, got {}; write a CAST",
                kind.described(),
                field.data_type()
            );
        }
        if fields.iter().take(position).any(|earlier| earlier.name() == name) {
            return plan_err!("{NAME}: evidence field '{name}' is given twice");
        }
    }
    Ok(())
}

fn nearest(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let mut best = ("", -1.0);
    for (known, _) in FIELDS {
        let similarity = normalized_levenshtein(&name, known);
        if similarity > best.1 {
            best = (known, similarity);
        }
    }
    best.0
}

/// The rows of a checked struct. Rows whose struct is NULL are `None`.
pub(super) fn read(evidence: &StructArray) -> Result<Vec<Option<Evidence>>> {
    let column = |name: &str| -> Result<Option<ArrayRef>> {
        let Some((_, kind)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        Ok(evidence.column_by_name(name).map(|array| cast(array, &kind.target())).transpose()?)
    };
    let text = |name: &str| -> Result<Vec<Option<String>>> {
        let Some(array) = column(name)? else { return Ok(vec![None; evidence.len()]) };
        Ok(as_string_array(&array)?.iter().map(|value| value.map(str::to_owned)).collect())
    };
    let number = |name: &str| -> Result<Vec<Option<f64>>> {
        let Some(array) = column(name)? else { return Ok(vec![None; evidence.len()]) };
        Ok(as_float64_array(&array)?.iter().collect())
    };
    let truth = |name: &str| -> Result<Vec<Option<bool>>> {
        let Some(array) = column(name)? else { return Ok(vec![None; evidence.len()]) };
        Ok(as_boolean_array(&array)?.iter().collect())
    };
    let years: Vec<Option<i64>> = match column("year")? {
        Some(array) => as_int64_array(&array)?.iter().collect(),
        None => vec![None; evidence.len()],
    };
    let deals = amounts(column("seen_deal_amounts")?, evidence.len())?;
    let mut channel_ids = text("channel_id")?;
    let mut categories = text("category")?;
    let followers = number("followers")?;
    let annual_views = number("annual_views")?;
    let posts = number("posts")?;
    let sponsored_posts = number("sponsored_posts")?;
    let donation_signals = truth("donation_signal")?;
    let group_buy_signals = truth("group_buy_signal")?;
    let remittances = number("remittance_twd")?;
    let declared = number("declared_income")?;
    let foreign = number("foreign_audience_share")?;
    let minors = truth("is_minor")?;
    let rows = deals.into_iter().enumerate().map(|(row, seen_deal_amounts)| {
        evidence.is_valid(row).then(|| Evidence {
            channel_id: channel_ids[row].take(),
            year: years[row],
            followers: followers[row],
            annual_views: annual_views[row],
            category: categories[row].take(),
            posts: posts[row],
            sponsored_posts: sponsored_posts[row],
            donation_signal: donation_signals[row],
            group_buy_signal: group_buy_signals[row],
            seen_deal_amounts,
            remittance: remittances[row],
            declared_income: declared[row],
            foreign_audience_share: foreign[row],
            minor: minors[row],
        })
    });
    Ok(rows.collect())
}

/// Lists without their NULL elements, which an outer join leaves where nothing was found.
fn amounts(column: Option<ArrayRef>, rows: usize) -> Result<Vec<Option<Vec<f64>>>> {
    let Some(array) = column else { return Ok(vec![None; rows]) };
    as_list_array(&array)?
        .iter()
        .map(|list| list.map(|list| Ok(as_float64_array(&list)?.iter().flatten().collect())).transpose())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_finds_its_name() {
        let check = |name: &str, expected: &str| assert_eq!(nearest(name), expected);
        check("follower", "followers");
        check("Remittance", "remittance_twd");
        check("views", "annual_views");
        check("deal_amounts", "seen_deal_amounts");
    }
}
