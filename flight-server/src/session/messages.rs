//! The session messages of `Flight.proto`, which arrow-flight 59 does not have.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionOptionValue {
    #[prost(oneof = "OptionValue", tags = "1, 2, 3, 4, 5")]
    pub(crate) option_value: Option<OptionValue>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum OptionValue {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(sfixed64, tag = "3")]
    Int64(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    TextList(TextList),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TextList {
    #[prost(string, repeated, tag = "1")]
    pub(crate) values: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SetSessionOptionsRequest {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) session_options: BTreeMap<String, SessionOptionValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SetSessionOptionsResult {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) errors: BTreeMap<String, SetOutcome>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct SetOutcome {
    #[prost(enumeration = "SetError", tag = "1")]
    pub(crate) value: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(crate) enum SetError {
    Unspecified = 0,
    InvalidName = 1,
    InvalidValue = 2,
    Error = 3,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct GetSessionOptionsRequest {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetSessionOptionsResult {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) session_options: BTreeMap<String, SessionOptionValue>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CloseSessionRequest {}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CloseSessionResult {
    #[prost(enumeration = "CloseStatus", tag = "1")]
    pub(crate) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(crate) enum CloseStatus {
    Unspecified = 0,
    Closed = 1,
    Closing = 2,
    NotCloseable = 3,
}

impl SessionOptionValue {
    pub(crate) fn text(value: &str) -> Self {
        Self { option_value: Some(OptionValue::Text(value.to_owned())) }
    }
}

impl SetOutcome {
    pub(crate) fn failed(error: SetError) -> Self {
        Self { value: error.into() }
    }
}

impl CloseSessionResult {
    pub(crate) fn closed() -> Self {
        Self { status: CloseStatus::Closed.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let request = SetSessionOptionsRequest {
            session_options: [("schema".to_owned(), SessionOptionValue::text("tax"))].into(),
        };
        let expected = [b"\x0a\x0f\x0a\x06schema\x12\x05\x0a\x03".as_slice(), b"tax"].concat();
        assert_eq!(request.encode_to_vec(), expected);
        assert_eq!(SetSessionOptionsRequest::decode(&*expected).unwrap(), request);
        assert_eq!(CloseSessionResult::closed().encode_to_vec(), b"\x08\x01");
        let refused = SetSessionOptionsResult {
            errors: [("x".to_owned(), SetOutcome::failed(SetError::InvalidName))].into(),
        };
        assert_eq!(refused.encode_to_vec(), b"\x0a\x07\x0a\x01x\x12\x02\x08\x01");
    }
}
