//! Parameters: their types, and how a value given as text becomes an SQL literal.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// Most digits a decimal parameter may have, on both sides of the point together.
const DECIMAL_DIGITS: usize = 38;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal number.
    Decimal,
    /// Any text without control characters.
    Text,
    /// A calendar day of the years 1 to 9999.
    Date,
    /// True or false.
    Boolean,
}

impl fmt::Display for ParameterKind {
    /// What the parameter takes, for a sentence that ends in "is not ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "a whole number such as 12",
            Self::Decimal => "a decimal number such as 0.05",
            Self::Text => "text on one line",
            Self::Date => "a date such as 2024-01-31",
            Self::Boolean => "true or false",
        })
    }
}

impl FromStr for ParameterKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(match name {
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "text" => Self::Text,
            "date" => Self::Date,
            "boolean" => Self::Boolean,
            _ => return Err(()),
        })
    }
}

impl ParameterKind {
    /// The type as it stands in a query's head.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Date => "date",
            Self::Boolean => "boolean",
        }
    }

    /// The value as a typed SQL literal, or `None` when it is not of this type.
    pub(crate) fn literal(self, value: &str) -> Option<String> {
        match self {
            Self::Integer => {
                let number: i64 = value.trim().parse().ok()?;
                // In brackets: a bare minus sign after another would begin a comment.
                Some(if number < 0 { format!("({number})") } else { number.to_string() })
            }
            Self::Decimal => decimal(value.trim()),
            Self::Text => {
                if value.chars().any(char::is_control) {
                    return None;
                }
                Some(format!("'{}'", value.replace('\'', "''")))
            }
            Self::Date => {
                let value = value.trim();
                let plain =
                    value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                let day = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok().filter(|_day| plain)?;
                Some(format!("DATE '{}'", day.format("%Y-%m-%d")))
            }
            Self::Boolean => match value.trim().to_ascii_lowercase().as_str() {
                "true" => Some("TRUE".to_owned()),
                "false" => Some("FALSE".to_owned()),
                _ => None,
            },
        }
    }
}

fn decimal(value: &str) -> Option<String> {
    let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let precision = whole.len() + fraction.len();
    if whole.is_empty() || !digits(whole) || !digits(fraction) || precision > DECIMAL_DIGITS {
        return None;
    }
    let scale = fraction.len();
    Some(format!("CAST('{value}' AS DECIMAL({precision}, {scale}))"))
}

/// A parameter of a library query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Stands as `$name` in the SQL.
    pub name: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// Used when no value is given; without one the parameter is required.
    pub default: Option<String>,
    /// What it does, in words.
    pub description: String,
}

#[cfg(test)]
mod tests {
    use super::ParameterKind::{self, Boolean, Date, Decimal, Integer, Text};

    fn check(kind: ParameterKind, value: &str, expected: Option<&str>) {
        assert_eq!(kind.literal(value).as_deref(), expected, "{kind:?} {value:?}");
    }

    #[test]
    fn values_become_typed_literals() {
        check(Integer, "12", Some("12"));
        check(Integer, " -5 ", Some("(-5)"));
        check(Integer, "9223372036854775807", Some("9223372036854775807"));
        check(Decimal, "0.05", Some("CAST('0.05' AS DECIMAL(3, 2))"));
        check(Decimal, "-7", Some("CAST('-7' AS DECIMAL(1, 0))"));
        check(Text, "O'Brien $x --", Some("'O''Brien $x --'"));
        check(Text, "臺北市", Some("'臺北市'"));
        check(Text, "", Some("''"));
        check(Date, "2024-02-29", Some("DATE '2024-02-29'"));
        check(Boolean, "True", Some("TRUE"));
    }

    #[test]
    fn values_of_another_type_are_refused() {
        for value in ["", "1.5", "twelve", "１２", "9223372036854775808", "1; DROP TABLE x"] {
            check(Integer, value, None);
        }
        for value in ["", ".", ".5", "1e3", "NaN", "1.2.3", "--1", "1234567890123456789012345678901234567.89"]
        {
            check(Decimal, value, None);
        }
        for value in
            ["2023-02-29", "24-01-01", "2024-1-1", "2024-01-01' OR '1'='1", "112-01-01", "+2024-01-1"]
        {
            check(Date, value, None);
        }
        check(Boolean, "yes", None);
        check(Text, "two\nlines", None);
        check(Text, "nul\0", None);
    }
}
