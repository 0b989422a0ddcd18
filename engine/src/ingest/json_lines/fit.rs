//! A line that does not fit its columns as it stands, made to fit where that loses nothing.

use arrow::datatypes::{DataType, Fields};
use serde_json::Value;

/// What is done with a value that its column cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The line is an error.
    Refuse,
    /// The value becomes NULL.
    Null,
}

/// A line rewritten.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) text: Vec<u8>,
    /// Values that became NULL.
    pub(super) nulled: usize,
}

/// Why a line cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is not a JSON object at all.
    NotAnObject(String),
    /// One of its values does not fit its column.
    Value(String),
}

/// Rewrites `line` so that it fits `fields`: objects and lists in a text column become their JSON text.
pub(super) fn fit(line: &[u8], fields: &Fields, misfit: Misfit) -> Result<Fitted, Unfit> {
    let mut value: Value =
        serde_json::from_slice(line).map_err(|error| Unfit::NotAnObject(format!("is not JSON ({error})")))?;
    if !value.is_object() {
        return Err(Unfit::NotAnObject("is not a JSON object".to_owned()));
    }
    let mut fitter = Fitter { misfit, nulled: 0 };
    fitter.object(&mut value, fields, "")?;
    let text = serde_json::to_vec(&value).map_err(|error| Unfit::NotAnObject(error.to_string()))?;
    Ok(Fitted { text, nulled: fitter.nulled })
}

struct Fitter {
    misfit: Misfit,
    nulled: usize,
}

impl Fitter {
    fn object(&mut self, value: &mut Value, fields: &Fields, path: &str) -> Result<(), Unfit> {
        let Some(object) = value.as_object_mut() else { return Ok(()) };
        for field in fields {
            if let Some(value) = object.get_mut(field.name()) {
                let path = match path {
                    "" => field.name().clone(),
                    _ => format!("{path}.{}", field.name()),
                };
                self.value(value, field.data_type(), &path)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &mut Value, kind: &DataType, path: &str) -> Result<(), Unfit> {
        let fits = match (kind, &mut *value) {
            (_, Value::Null) => true,
            (DataType::Utf8, Value::Object(_) | Value::Array(_)) => {
                *value = Value::String(value.to_string());
                true
            }
            (DataType::Utf8, _) | (DataType::Boolean, Value::Bool(_)) => true,
            (DataType::Int64, Value::Number(number)) => number.is_i64(),
            (DataType::Int64, Value::String(text)) => text.trim().parse::<i64>().is_ok(),
            (DataType::Float64, Value::Number(_)) => true,
            (DataType::Float64, Value::String(text)) => text.trim().parse::<f64>().is_ok(),
            (DataType::Struct(fields), Value::Object(_)) => {
                self.object(value, fields, path)?;
                true
            }
            (DataType::List(item), Value::Array(items)) => {
                for value in items {
                    self.value(value, item.data_type(), path)?;
                }
                true
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        match self.misfit {
            Misfit::Null => {
                *value = Value::Null;
                self.nulled += 1;
                Ok(())
            }
            Misfit::Refuse => Err(Unfit::Value(format!(
                "has {} in the field {path}, which is {} in the sampled lines",
                shortened(value),
                described(kind)
            ))),
        }
    }
}

fn described(kind: &DataType) -> &'static str {
    match kind {
        DataType::Boolean => "true or false",
        DataType::Int64 => "a whole number",
        DataType::Float64 => "a number",
        DataType::List(_) => "a list",
        DataType::Struct(_) => "an object",
        _ => "text",
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    fn fields() -> Fields {
        Fields::from(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("t", DataType::Utf8, true),
            Field::new("o", DataType::Struct(vec![Field::new("f", DataType::Float64, true)].into()), true),
            Field::new("l", DataType::new_list(DataType::Boolean, true), true),
        ])
    }

    #[test]
    fn lines_made_to_fit() {
        let check = |line: &str, misfit: Misfit, expected: Result<(&str, usize), &str>| match (
            fit(line.as_bytes(), &fields(), misfit),
            expected,
        ) {
            (Ok(fitted), Ok((text, nulled))) => {
                assert_eq!((String::from_utf8(fitted.text).unwrap().as_str(), fitted.nulled), (text, nulled));
            }
            (Err(Unfit::NotAnObject(reason) | Unfit::Value(reason)), Err(expected)) => {
                assert_eq!(reason, expected);
            }
            (got, expected) => panic!("{line}: {got:?} instead of {expected:?}"),
        };
        check(r#"{"t":{"a":[1]}}"#, Misfit::Refuse, Ok((r#"{"t":"{\"a\":[1]}"}"#, 0)));
        check(r#"{"n":1.5}"#, Misfit::Null, Ok((r#"{"n":null}"#, 1)));
        check(
            r#"{"n":1.5}"#,
            Misfit::Refuse,
            Err("has 1.5 in the field n, which is a whole number in the sampled lines"),
        );
        check(
            r#"{"o":{"f":"高"}}"#,
            Misfit::Refuse,
            Err("has \"高\" in the field o.f, which is a number in the sampled lines"),
        );
        check(r#"{"l":[true,"x",null]}"#, Misfit::Null, Ok((r#"{"l":[true,null,null]}"#, 1)));
        check("[1]", Misfit::Null, Err("is not a JSON object"));
        check("{", Misfit::Null, Err("is not JSON (EOF while parsing an object at line 1 column 1)"));
    }
}
