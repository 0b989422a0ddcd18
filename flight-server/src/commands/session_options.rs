//! Session options: `catalog`, which is fixed; `schema`, where bare table names are looked up; `time_zone`; and Tithe's settings by
//! the names that `SET` takes.

use std::collections::BTreeMap;

use tithe_engine::{EngineError, Session};
use tonic::Status;
use tonic::metadata::AsciiMetadataValue;
use uuid::Uuid;

use super::{CATALOG, DEFAULT_SCHEMA, schemas};
use crate::service::{Caller, FlightSql};
use crate::session::{
    COOKIE, Choices, CloseSessionResult, GetSessionOptionsResult, OptionValue, SessionOptionValue, SetError,
    SetOutcome, SetSessionOptionsRequest, SetSessionOptionsResult,
};
use crate::status;

/// By which a client sets [`TIME_ZONE`], whose own name it may say as well.
const ZONE_OPTION: &str = "time_zone";
const TIME_ZONE: &str = "datafusion.execution.time_zone";
/// What the names of Tithe's settings begin with.
const OWN: &str = "tithe.";

/// Sets what the request names; each option that cannot be set is named in the result. Hands out a cookie to clients
/// that have none: those that keep cookies stay in their session when they connect again.
pub(super) async fn set(
    server: &FlightSql,
    caller: &Caller,
    request: &SetSessionOptionsRequest,
) -> Result<(SetSessionOptionsResult, Option<AsciiMetadataValue>), Status> {
    let mut errors = BTreeMap::new();
    let before = server.sessions.choices(&caller.session);
    let mut choices = before.clone();
    let session =
        server.engine.session(caller.principal.clone()).map_err(|error| status::from_engine(&error))?;
    for (name, value) in &request.session_options {
        let value = value.option_value.as_ref();
        let set = match name.as_str() {
            "catalog" => set_catalog(value),
            "schema" => set_schema(&session, value, &mut choices).await?,
            name => set_setting(&session, name, value, &mut choices).await,
        };
        if let Err(error) = set {
            errors.insert(name.clone(), SetOutcome::failed(error));
        }
    }
    if choices == before {
        return Ok((SetSessionOptionsResult { errors }, None));
    }
    let mut client = caller.session.clone();
    let mut cookie = None;
    if !client.has_cookie() {
        let fresh = Uuid::new_v4().simple().to_string();
        client = client.with_cookie(fresh.clone());
        cookie = Some(fresh);
    }
    if !server.sessions.choose(&client, &choices) {
        let failed = SetOutcome::failed(SetError::Error);
        errors.extend(request.session_options.keys().map(|name| (name.clone(), failed)));
        return Ok((SetSessionOptionsResult { errors }, None));
    }
    let cookie = cookie.map(|cookie| AsciiMetadataValue::try_from(format!("{COOKIE}={cookie}")));
    let cookie = cookie
        .transpose()
        .map_err(|_impossible| Status::internal("the cookie does not fit into a header"))?;
    Ok((SetSessionOptionsResult { errors }, cookie))
}

/// What is set.
pub(super) fn get(server: &FlightSql, caller: &Caller) -> GetSessionOptionsResult {
    let Choices { schema, settings } = server.sessions.choices(&caller.session);
    let fixed = [
        ("catalog".to_owned(), CATALOG.to_owned()),
        ("schema".to_owned(), schema.unwrap_or_else(|| DEFAULT_SCHEMA.to_owned())),
    ];
    let settings = settings.into_iter().map(|(name, value)| match name.as_str() {
        TIME_ZONE => (ZONE_OPTION.to_owned(), value),
        _ => (name, value),
    });
    let options = fixed.into_iter().chain(settings);
    GetSessionOptionsResult {
        session_options: options.map(|(name, value)| (name, SessionOptionValue::text(&value))).collect(),
    }
}

/// Forgets what was set.
pub(super) fn close(server: &FlightSql, caller: &Caller) -> CloseSessionResult {
    server.sessions.close(&caller.session);
    CloseSessionResult::closed()
}

fn set_catalog(value: Option<&OptionValue>) -> Result<(), SetError> {
    match value {
        None => Ok(()),
        Some(OptionValue::Text(name)) if name == CATALOG => Ok(()),
        Some(_) => Err(SetError::InvalidValue),
    }
}

async fn set_schema(
    session: &Session,
    value: Option<&OptionValue>,
    choices: &mut Choices,
) -> Result<Result<(), SetError>, Status> {
    let name = match value {
        None => DEFAULT_SCHEMA,
        Some(OptionValue::Text(name)) => name,
        Some(_) => return Ok(Err(SetError::InvalidValue)),
    };
    let known = [DEFAULT_SCHEMA, "information_schema"].contains(&name)
        || schemas::names(session).await?.contains(name);
    if !known {
        return Ok(Err(SetError::InvalidValue));
    }
    choices.schema = Some(name.to_owned());
    Ok(Ok(()))
}

/// Chooses the value of a setting that a session may change; without a value, the server's again.
async fn set_setting(
    session: &Session,
    name: &str,
    value: Option<&OptionValue>,
    choices: &mut Choices,
) -> Result<(), SetError> {
    let name = match name {
        ZONE_OPTION | TIME_ZONE => TIME_ZONE,
        name if name.starts_with(OWN) => name,
        _ => return Err(SetError::InvalidName),
    };
    let value = match value {
        None => {
            choices.settings.remove(name);
            return Ok(());
        }
        Some(OptionValue::Text(text)) => text.clone(),
        Some(OptionValue::Bool(truth)) => truth.to_string(),
        Some(OptionValue::Int64(number)) => number.to_string(),
        Some(OptionValue::Double(number)) => number.to_string(),
        Some(OptionValue::TextList(_)) => return Err(SetError::InvalidValue),
    };
    match session.set(name, &value).await {
        Ok(()) => {
            choices.settings.insert(name.to_owned(), value);
            Ok(())
        }
        Err(EngineError::Unknown { .. }) => Err(SetError::InvalidName),
        Err(_) => Err(SetError::InvalidValue),
    }
}
