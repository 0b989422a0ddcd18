//! The status page on the port for operations: queries, catalog and policy, as whoever looks may see them.
//!
//! It has no script and nothing from elsewhere. Whoever looks is known as on the Flight SQL port, sees their own
//! queries, and of others' what the policy shows them of `audit.query`; nobody ends a query but its owner.

mod answer;
mod catalog;
mod forgery;
mod html;
mod kill;
mod queries;
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use ring::error::Unspecified;
use tithe_engine::Engine;
use tonic::Status;

use self::answer::Refusal;
use self::forgery::Forgery;
use crate::authentication::Authenticator;
use crate::running::Running;
use crate::workers::Workers;

/// Of a form that is sent.
const LARGEST_FORM: usize = 4 << 10;

/// What the pages are made of.
#[derive(Clone)]
pub(crate) struct StatusPage {
    engine: Arc<Engine>,
    authenticator: Arc<Authenticator>,
    running: Running,
    workers: Workers,
    forgery: Arc<Forgery>,
}

type Peer = ConnectInfo<SocketAddr>;

impl StatusPage {
    /// The pages about `engine` and the queries in `running`, for whom `authenticator` lets in.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub(crate) fn new(
        engine: Arc<Engine>,
        authenticator: Arc<Authenticator>,
        running: Running,
        workers: Workers,
    ) -> Result<Self, Unspecified> {
        Ok(Self { engine, authenticator, running, workers, forgery: Arc::new(Forgery::new()?) })
    }

    /// Does `work` on the threads for queries: the engine plans on a stack that those have.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl Future<Output = tithe_engine::Result<T>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = self.workers.run(async move { Ok(work.await) }).await;
        let unavailable = |status: Status| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, status.message());
        Ok(done.map_err(unavailable)??)
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/status", get(queries_page))
            .route("/status/queries.json", get(queries_json))
            .route("/status/query/{run}", get(query_page))
            .route("/status/catalog", get(catalog_page))
            .route("/status/catalog.json", get(catalog_json))
            .route("/status/catalog/{schema}/{table}", get(table_page))
            .route("/status/style.css", get(style))
            .route("/status/kill", post(kill_form))
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .with_state(self)
    }
}

async fn style() -> Response {
    answer::guarded(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], html::STYLE).into_response())
}

async fn queries_page(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer::finish(queries::page(&page, &headers, peer, query.as_deref()).await)
}

async fn queries_json(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
) -> Response {
    answer::finish(queries::json(&page, &headers, peer).await)
}

async fn query_page(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    Path(run): Path<String>,
) -> Response {
    answer::finish(queries::one(&page, &headers, peer, &run).await)
}

async fn catalog_page(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
) -> Response {
    answer::finish(catalog::page(&page, &headers, peer).await)
}

async fn catalog_json(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
) -> Response {
    answer::finish(catalog::json(&page, &headers, peer).await)
}

async fn table_page(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    Path((schema, table)): Path<(String, String)>,
) -> Response {
    answer::finish(catalog::table(&page, &headers, peer, &schema, &table).await)
}

async fn kill_form(
    State(page): State<StatusPage>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    answer::finish(kill::kill(&page, &headers, peer, &form).await)
}
