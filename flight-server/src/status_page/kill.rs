//! Ends a query at its owner's wish.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tracing::info;
use url::form_urlencoded;
use uuid::Uuid;

use super::StatusPage;
use super::answer::Refusal;
use super::forgery::comes_from_elsewhere;

const FORM: &str = "application/x-www-form-urlencoded";

/// What the form for it sends: `run` and `token`.
pub(super) async fn kill(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
    form: &[u8],
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let forged =
        || Refusal::new(StatusCode::FORBIDDEN, "a query is ended from its own page: load that again");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if comes_from_elsewhere(headers) || kind.split(';').next().map(str::trim) != Some(FORM) {
        return Err(forged());
    }
    let (mut run, mut token) = (None, None);
    for (name, value) in form_urlencoded::parse(form) {
        match name.as_ref() {
            "run" => run = Uuid::parse_str(&value).ok(),
            "token" => token = Some(value.into_owned()),
            _ => {}
        }
    }
    let user = &viewer.principal;
    let run = run.zip(token).filter(|(run, token)| page.forgery.is_token(token, &user.name, *run));
    let (run, _) = run.ok_or_else(forged)?;
    if !page.running.cancel_run(run, user) {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "the query has ended already"));
    }
    info!(user = user.name, %run, "a query is ended from the status page");
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/status"));
    Ok(response)
}
