//! The texts in a table, nested ones too.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::utils::quote_identifier;

/// A place in a table that holds texts or whole numbers.
pub(super) struct Leaf {
    pub(super) column: String,
    /// As a user would write it.
    pub(super) place: String,
    /// SQL that gives its values as text.
    pub(super) expression: String,
}

/// The texts and whole numbers of a table; columns of other nested kinds go to `not_looked_into`. Amounts, dates, flags and
/// bytes are left out: they tell nobody's name.
pub(super) fn leaves(schema: &Schema, not_looked_into: &mut Vec<String>) -> Vec<Leaf> {
    let mut found = Vec::new();
    for field in schema.fields() {
        let place = quote_identifier(field.name()).into_owned();
        descend(field.name(), place, field.data_type(), &mut found, not_looked_into);
    }
    found
}

fn descend(
    column: &str,
    place: String,
    data_type: &DataType,
    found: &mut Vec<Leaf>,
    not_looked_into: &mut Vec<String>,
) {
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                let inner = format!("{place}['{}']", field.name().replace('\'', "''"));
                descend(column, inner, field.data_type(), found, not_looked_into);
            }
        }
        DataType::List(item) | DataType::LargeList(item) if is_text(item.data_type()) => {
            let expression = format!("array_to_string({place}, ' ')");
            found.push(Leaf { column: column.to_owned(), place, expression });
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..)
        | DataType::Map(..)
        | DataType::Union(..) => not_looked_into.push(place),
        plain if is_text(plain) || plain.is_integer() => {
            let expression = format!("CAST({place} AS VARCHAR)");
            found.push(Leaf { column: column.to_owned(), place, expression });
        }
        _ => {}
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        other => other.is_string(),
    }
}
