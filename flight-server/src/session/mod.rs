//! What a client set for its connection: the schema in which bare table names are looked up. Never holds data.

mod key;
mod messages;
mod sessions;

pub(crate) use key::SessionKeys;
pub(crate) use messages::{
    CloseSessionRequest, CloseSessionResult, GetSessionOptionsRequest, GetSessionOptionsResult, OptionValue,
    SessionOptionValue, SetError, SetOutcome, SetSessionOptionsRequest, SetSessionOptionsResult,
};
pub(crate) use sessions::{COOKIE, Sessions};
