//! Queries that run and ran lately.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tithe_engine::LiveQuery;
use uuid::Uuid;

use super::answer::Refusal;
use super::viewer::Viewer;
use super::{StatusPage, answer, html};
use crate::run_state::RunState;

/// A query as its row shows it.
pub(super) struct Shown {
    pub(super) query: LiveQuery,
    /// What only its owner sees.
    pub(super) own: Option<Own>,
}

/// What the owner of a query sees of it.
pub(super) struct Own {
    pub(super) run: Uuid,
    /// From 0 to below 1.
    pub(super) progress: f64,
    /// What the form that ends it carries; none when it has ended.
    pub(super) token: Option<String>,
}

/// Running ones, then ended ones.
pub(super) struct Queries {
    pub(super) running: Vec<Shown>,
    pub(super) ended: Vec<Shown>,
}

/// Seconds between two loads, of those that may be chosen.
const EVERY: [(&str, u32); 3] = [("every=2", 2), ("every=5", 5), ("every=30", 30)];

pub(super) async fn page(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let every = EVERY.iter().find(|(name, _)| Some(*name) == query).map(|(_, seconds)| *seconds);
    let queries = seen(page, &viewer).await?;
    Ok(answer::page(&html::queries(&viewer, &queries, every)))
}

pub(super) async fn json(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let Queries { running, ended } = seen(page, &viewer).await?;
    let rows = |rows: Vec<Shown>| rows.into_iter().map(Shown::into_json).collect::<Vec<_>>();
    Ok(answer::json(&json!({
        "user": viewer.principal.name,
        "running": rows(running),
        "ended": rows(ended),
    })))
}

/// One query of the viewer's, with its operators.
pub(super) async fn one(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
    run: &str,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let (run, as_json) = match run.strip_suffix(".json") {
        Some(run) => (run, true),
        None => (run, false),
    };
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "there is no such query of yours, or not any more");
    let run = Uuid::parse_str(run).map_err(|_malformed| unknown())?;
    let (running, ended) = page.running.all();
    let runs = running.len();
    let own = |state: &Arc<RunState>| state.id() == run && state.is_of(&viewer.principal.name);
    let place = running.iter().chain(&ended).position(own).ok_or_else(unknown)?;
    let state = running.iter().chain(&ended).nth(place).ok_or_else(unknown)?;
    let shown = own_row(page, &viewer, state, place < runs);
    let operators = state.operators();
    if as_json {
        let mut value = shown.into_json();
        value["operators"] = match operators {
            Some(Ok(plan)) => plan.lines().collect(),
            Some(Err(reason)) => reason.into(),
            None => Value::Null,
        };
        return Ok(answer::json(&value));
    }
    Ok(answer::page(&html::query(&viewer, &shown, operators.as_ref())))
}

/// The viewer's own queries, and of others' what the policy shows them of `audit.query`.
async fn seen(page: &StatusPage, viewer: &Viewer) -> Result<Queries, Refusal> {
    let (running, ended) = page.running.all();
    Ok(Queries {
        running: rows(page, viewer, &running, true).await?,
        ended: rows(page, viewer, &ended, false).await?,
    })
}

async fn rows(
    page: &StatusPage,
    viewer: &Viewer,
    states: &[Arc<RunState>],
    runs: bool,
) -> Result<Vec<Shown>, Refusal> {
    let user = &viewer.principal.name;
    let (own, others): (Vec<_>, Vec<_>) = states.iter().partition(|state| state.is_of(user));
    let mut shown: Vec<Shown> = own.into_iter().map(|state| own_row(page, viewer, state, runs)).collect();
    let others: Vec<LiveQuery> =
        others.into_iter().filter(|state| state.is_planned()).map(|state| state.query()).collect();
    if !others.is_empty() {
        let session = viewer.session.clone();
        let audited = page.apart(async move { session.audited(&others).await }).await?;
        shown.extend(audited.into_iter().map(|query| Shown { query, own: None }));
    }
    // The youngest first; what hides when it began comes last.
    shown.sort_by(|one, other| other.query.text("began_at").cmp(one.query.text("began_at")));
    Ok(shown)
}

fn own_row(page: &StatusPage, viewer: &Viewer, state: &RunState, runs: bool) -> Shown {
    let run = state.id();
    let token = runs.then(|| page.forgery.token(&viewer.principal.name, run));
    Shown { query: state.query(), own: Some(Own { run, progress: state.progress(), token }) }
}

impl Shown {
    fn into_json(self) -> Value {
        let mut value = json!(self.query);
        if let Some(own) = self.own {
            value["run"] = own.run.to_string().into();
            if own.token.is_some() {
                value["progress"] = own.progress.into();
            }
        }
        value
    }
}
