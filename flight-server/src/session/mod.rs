//! What a client set for its connection: where bare table names are looked up, and settings. Never holds data.

mod choices;
mod key;
mod messages;
mod sessions;

pub(crate) use choices::Choices;
pub(crate) use key::SessionKeys;
pub(crate) use messages::{
    CloseSessionRequest, CloseSessionResult, GetSessionOptionsRequest, GetSessionOptionsResult, OptionValue,
    SessionOptionValue, SetError, SetOutcome, SetSessionOptionsRequest, SetSessionOptionsResult,
};
pub(crate) use sessions::{COOKIE, Sessions};
