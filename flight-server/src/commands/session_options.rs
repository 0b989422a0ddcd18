//! Session options: `catalog`, which is fixed, and `schema`, where bare table names are looked up.

use std::collections::BTreeMap;

use tonic::Status;
use tonic::metadata::AsciiMetadataValue;
use uuid::Uuid;

use super::{CATALOG, DEFAULT_SCHEMA, schemas};
use crate::service::{Caller, FlightSql};
use crate::session::{
    COOKIE, CloseSessionResult, GetSessionOptionsResult, OptionValue, SessionOptionValue, SetError,
    SetOutcome, SetSessionOptionsRequest, SetSessionOptionsResult,
};
use crate::status;

/// Sets what the request names; each option that cannot be set is named in the result. Hands out a cookie to clients
/// that have none: those that keep cookies stay in their session when they connect again.
pub(super) async fn set(
    server: &FlightSql,
    caller: &Caller,
    request: &SetSessionOptionsRequest,
) -> Result<(SetSessionOptionsResult, Option<AsciiMetadataValue>), Status> {
    let mut errors = BTreeMap::new();
    let mut cookie = None;
    for (name, value) in &request.session_options {
        let set = match name.as_str() {
            "catalog" => set_catalog(value),
            "schema" => set_schema(server, caller, value, &mut cookie).await?,
            _ => Err(SetError::InvalidName),
        };
        if let Err(error) = set {
            errors.insert(name.clone(), SetOutcome::failed(error));
        }
    }
    let cookie = cookie.map(|cookie| AsciiMetadataValue::try_from(format!("{COOKIE}={cookie}")));
    let cookie = cookie
        .transpose()
        .map_err(|_impossible| Status::internal("the cookie does not fit into a header"))?;
    Ok((SetSessionOptionsResult { errors }, cookie))
}

/// What is set.
pub(super) fn get(server: &FlightSql, caller: &Caller) -> GetSessionOptionsResult {
    let schema = server.sessions.schema(&caller.session);
    let schema = schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    let options = [("catalog", CATALOG), ("schema", schema)];
    GetSessionOptionsResult {
        session_options: options
            .map(|(name, value)| (name.to_owned(), SessionOptionValue::text(value)))
            .into(),
    }
}

/// Forgets what was set.
pub(super) fn close(server: &FlightSql, caller: &Caller) -> CloseSessionResult {
    server.sessions.close(&caller.session);
    CloseSessionResult::closed()
}

fn set_catalog(value: &SessionOptionValue) -> Result<(), SetError> {
    match &value.option_value {
        None => Ok(()),
        Some(OptionValue::Text(name)) if name == CATALOG => Ok(()),
        Some(_) => Err(SetError::InvalidValue),
    }
}

async fn set_schema(
    server: &FlightSql,
    caller: &Caller,
    value: &SessionOptionValue,
    cookie: &mut Option<String>,
) -> Result<Result<(), SetError>, Status> {
    let name = match &value.option_value {
        None => DEFAULT_SCHEMA,
        Some(OptionValue::Text(name)) => name,
        Some(_) => return Ok(Err(SetError::InvalidValue)),
    };
    let session =
        server.engine.session(caller.principal.clone()).map_err(|error| status::from_engine(&error))?;
    let known = [DEFAULT_SCHEMA, "information_schema"].contains(&name)
        || schemas::names(&session).await?.contains(name);
    if !known {
        return Ok(Err(SetError::InvalidValue));
    }
    let mut client = caller.session.clone();
    if !client.has_cookie() {
        let fresh = Uuid::new_v4().simple().to_string();
        client = client.with_cookie(fresh.clone());
        *cookie = Some(fresh);
    }
    Ok(if server.sessions.choose(&client, name) { Ok(()) } else { Err(SetError::Error) })
}
