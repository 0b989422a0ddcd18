//! What kind of value a JSON field holds, over many lines.

use std::fmt;

use arrow::datatypes::{DataType, Field, Fields};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// An object with more fields than this is a map in disguise, and read as JSON text.
const MOST_FIELDS: usize = 1000;

/// The least kind that holds every value seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Only null so far.
    Nothing,
    Boolean,
    Integer,
    Float,
    /// Text, or kinds that have nothing else in common: then the value's JSON text.
    Text,
    List(Box<Self>),
    /// Fields in the order in which they were first seen.
    Object(Vec<(String, Self)>),
}

impl Kind {
    /// Widens `self` so that it also holds what `other` holds.
    pub(crate) fn absorb(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Nothing) => {}
            (Self::Nothing, other) => *self = other,
            (Self::List(mine), Self::List(theirs)) => mine.absorb(*theirs),
            (Self::Object(mine), Self::Object(theirs)) => {
                absorb_fields(mine, theirs);
                if mine.len() > MOST_FIELDS {
                    *self = Self::Text;
                }
            }
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => *self = Self::Float,
            (mine, other) if *mine == other => {}
            _ => *self = Self::Text,
        }
    }

    /// The Arrow type; a field that was always null is text.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Nothing | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::List(items) => DataType::new_list(items.data_type(), true),
            Self::Object(fields) if fields.is_empty() => DataType::Utf8,
            Self::Object(fields) => DataType::Struct(arrow_fields(fields)),
        }
    }
}

/// Nullable Arrow fields, in order.
pub(crate) fn arrow_fields(fields: &[(String, Kind)]) -> Fields {
    fields.iter().map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect()
}

/// Widens `mine` by `theirs`, by name.
pub(crate) fn absorb_fields(mine: &mut Vec<(String, Kind)>, theirs: Vec<(String, Kind)>) {
    for (position, (name, kind)) in theirs.into_iter().enumerate() {
        let same_place = mine.get(position).is_some_and(|(known, _)| *known == name);
        let known = match same_place {
            true => mine.get_mut(position),
            false => mine.iter_mut().find(|(known, _)| *known == name),
        };
        match known {
            Some((_, known)) => known.absorb(kind),
            None => mine.push((name, kind)),
        }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Kind, E> {
        Ok(Kind::Boolean)
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Kind, E> {
        Ok(Kind::Integer)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(if i64::try_from(value).is_ok() { Kind::Integer } else { Kind::Text })
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Kind, E> {
        Ok(Kind::Float)
    }

    fn visit_str<E>(self, _value: &str) -> Result<Kind, E> {
        Ok(Kind::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut kind = Kind::Nothing;
        while let Some(item) = items.next_element::<Kind>()? {
            kind.absorb(item);
        }
        Ok(Kind::List(Box::new(kind)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry::<String, Kind>()? {
            fields.push(entry);
        }
        let mut whole = Kind::Object(Vec::new());
        whole.absorb(Kind::Object(fields));
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_lines() {
        let check = |lines: &[&str], expected: &str| {
            let mut kind = Kind::Nothing;
            for line in lines {
                kind.absorb(serde_json::from_str(line).unwrap());
            }
            assert_eq!(kind.data_type().to_string(), expected, "{lines:?}");
        };
        check(&["1", "null"], "Int64");
        check(&["1", "1.5"], "Float64");
        check(&["1", "\"a\""], "Utf8");
        check(&["true", "1"], "Utf8");
        check(&["18446744073709551615"], "Utf8");
        check(&["null"], "Utf8");
        check(&["{}"], "Utf8");
        check(&["[]", "[1]"], "List(Int64)");
        check(&["[1]", "[\"a\"]"], "List(Utf8)");
        check(&["[1]", "1"], "Utf8");
        check(&["{\"a\": 1}", "\"b\""], "Utf8");
        check(
            &["{\"b\": {\"x\": 1}, \"a\": 1}", "{\"c\": null, \"b\": {\"y\": [true]}}"],
            "Struct(\"b\": Struct(\"x\": Int64, \"y\": List(Boolean)), \"a\": Int64, \"c\": Utf8)",
        );
    }
}
