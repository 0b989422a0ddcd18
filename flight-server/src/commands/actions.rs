//! `DoAction`: the list of actions, and which file does each.

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, Any,
    ProstMessageExt,
};
use arrow_flight::{Action, ActionType, CancelFlightInfoRequest, Result as ActionResult};
use prost::Message;
use tonic::Status;
use tonic::metadata::AsciiMetadataValue;

use super::{cancel, prepared, session_options};
use crate::service::{Caller, FlightSql};
use crate::session::{CloseSessionRequest, GetSessionOptionsRequest, SetSessionOptionsRequest};
use crate::status::excerpt;

const ACTIONS: [(&str, &str); 7] = [
    ("CreatePreparedStatement", "plans a statement; takes ActionCreatePreparedStatementRequest"),
    ("ClosePreparedStatement", "ends a prepared statement; takes ActionClosePreparedStatementRequest"),
    ("CancelFlightInfo", "ends a running query; takes CancelFlightInfoRequest"),
    (
        "CancelQuery",
        "ends a running query; takes ActionCancelQueryRequest; CancelFlightInfo is its successor",
    ),
    (
        "SetSessionOptions",
        "sets catalog, schema, time zone and settings of the session; takes SetSessionOptionsRequest",
    ),
    ("GetSessionOptions", "tells what is set in the session; takes GetSessionOptionsRequest"),
    ("CloseSession", "forgets what was set for the session; takes CloseSessionRequest"),
];

/// What an action did.
pub(crate) struct Done {
    pub(crate) results: Vec<ActionResult>,
    pub(crate) cookie: Option<AsciiMetadataValue>,
}

/// The actions of this server.
pub(crate) fn actions() -> impl Iterator<Item = ActionType> {
    ACTIONS.into_iter().map(|(name, description)| ActionType {
        r#type: name.to_owned(),
        description: description.to_owned(),
    })
}

/// Does `action`.
pub(crate) async fn act(server: &FlightSql, caller: &Caller, action: &Action) -> Result<Done, Status> {
    match action.r#type.as_str() {
        "CreatePreparedStatement" => {
            let request: ActionCreatePreparedStatementRequest = packed(action)?;
            Ok(done(prepared::create(server, caller, request).await?.as_any()))
        }
        "ClosePreparedStatement" => {
            prepared::close(caller, &packed::<ActionClosePreparedStatementRequest>(action)?)?;
            Ok(Done { results: Vec::new(), cookie: None })
        }
        "CancelFlightInfo" => {
            let request: CancelFlightInfoRequest = plain(action)?;
            Ok(done(cancel::flight_info(server, caller, request.info.unwrap_or_default())))
        }
        "CancelQuery" => {
            let request: ActionCancelQueryRequest = packed(action)?;
            Ok(done(cancel::query(server, caller, &request)?.as_any()))
        }
        "SetSessionOptions" => {
            let request: SetSessionOptionsRequest = plain(action)?;
            let (result, cookie) = session_options::set(server, caller, &request).await?;
            Ok(Done { cookie, ..done(result) })
        }
        "GetSessionOptions" => {
            plain::<GetSessionOptionsRequest>(action)?;
            Ok(done(session_options::get(server, caller)))
        }
        "CloseSession" => {
            plain::<CloseSessionRequest>(action)?;
            Ok(done(session_options::close(server, caller)))
        }
        "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
            Err(Status::unimplemented(
                "this server has no transactions: each statement sees the lake as it is when it runs, and what it writes appears at once",
            ))
        }
        other => Err(Status::unimplemented(format!(
            "this server has no action {:?}: ListActions names those it has",
            excerpt(other)
        ))),
    }
}

fn done(result: impl Message) -> Done {
    Done { results: vec![ActionResult { body: result.encode_to_vec().into() }], cookie: None }
}

/// Flight SQL's own actions come wrapped.
fn packed<M: ProstMessageExt>(action: &Action) -> Result<M, Status> {
    let any = Any::decode(action.body.clone()).map_err(|_malformed| malformed(action))?;
    any.unpack().map_err(|_malformed| malformed(action))?.ok_or_else(|| malformed(action))
}

/// Flight's actions come bare.
fn plain<M: Message + Default>(action: &Action) -> Result<M, Status> {
    M::decode(action.body.clone()).map_err(|_malformed| malformed(action))
}

fn malformed(action: &Action) -> Status {
    Status::invalid_argument(format!(
        "the body of the action {:?} is not what it takes: see ListActions",
        excerpt(&action.r#type)
    ))
}
