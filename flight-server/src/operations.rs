//! The HTTP port for whoever operates a node: is it alive, does it take work, what has it done.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tithe_engine::{Engine, WorkerService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::server::{ServeError, listen_error};
use crate::status_page::StatusPage;

/// How long the lake has to answer before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(5);
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the port tells of.
#[derive(Clone)]
pub(crate) struct Operations {
    engine: Arc<Engine>,
    registry: Arc<Mutex<Registry>>,
    /// Cancelled when the node takes no more work.
    draining: CancellationToken,
}

impl Operations {
    pub(crate) fn of_server(engine: Arc<Engine>, limits: Arc<Limits>, draining: CancellationToken) -> Self {
        Self::new(engine, Box::new(Queue(limits)), draining)
    }

    pub(crate) fn of_worker(engine: Arc<Engine>, tasks: WorkerService, draining: CancellationToken) -> Self {
        Self::new(engine, Box::new(Tasks(tasks)), draining)
    }

    fn new(engine: Arc<Engine>, running: Box<dyn Collector>, draining: CancellationToken) -> Self {
        let mut registry = Registry::with_prefix("tithe");
        engine.register_metrics(&mut registry);
        registry.register_collector(running);
        Self { engine, registry: Arc::new(Mutex::new(registry)), draining }
    }

    /// That work is taken and the lake answers.
    ///
    /// # Errors
    /// Why not, for anybody to read.
    pub(crate) async fn readiness(&self) -> Result<(), String> {
        if self.draining.is_cancelled() {
            return Err("the server is stopping".to_owned());
        }
        match tokio::time::timeout(PATIENCE, self.engine.reach()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // The answer goes to whoever asks: not where the lake is.
                tracing::warn!(%error, "not ready: the lake cannot be read");
                Err("the lake cannot be read: see the server's log".to_owned())
            }
            Err(_elapsed) => Err(format!("the lake did not answer in {} s", PATIENCE.as_secs())),
        }
    }

    /// Whether the server takes no more queries.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Takes the port.
    ///
    /// # Errors
    /// When other machines could reach it, or it is taken.
    pub(crate) async fn bind(listen: SocketAddr) -> Result<TcpListener, ServeError> {
        if !listen.ip().to_canonical().is_loopback() {
            return Err(ServeError::ExposedOperations { listen });
        }
        TcpListener::bind(listen).await.map_err(|error| listen_error(listen, error))
    }

    /// Answers on `listener` until it is dropped; without one, nothing ever happens.
    pub(crate) async fn serve_where_asked(
        self,
        listener: Option<TcpListener>,
        status_page: Option<StatusPage>,
    ) -> std::io::Result<()> {
        match listener {
            Some(listener) => self.serve(listener, status_page).await,
            None => std::future::pending().await,
        }
    }

    /// Answers until it is dropped.
    async fn serve(self, listener: TcpListener, status_page: Option<StatusPage>) -> std::io::Result<()> {
        let router = Router::new()
            .route("/healthz", get(async || "alive\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self);
        let router = match status_page {
            Some(page) => router.merge(page.router()),
            None => router,
        };
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    }
}

async fn ready(State(operations): State<Operations>) -> (StatusCode, String) {
    match operations.readiness().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(operations): State<Operations>) -> impl IntoResponse {
    let mut text = String::new();
    let registry = operations.registry.lock().unwrap_or_else(PoisonError::into_inner);
    match encode(&mut text, &registry) {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, TEXT)], text),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], error.to_string())
        }
    }
}

/// Read when asked for.
#[derive(Debug)]
struct Queue(Arc<Limits>);

impl Collector for Queue {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, count: usize| {
            let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("queries_running", "Queries that run", self.0.running())?;
        gauge("queries_waiting", "Queries that wait for their turn", self.0.waiting())
    }
}

/// Read when asked for.
#[derive(Debug)]
struct Tasks(WorkerService);

impl Collector for Tasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(i64::try_from(self.0.running()).unwrap_or(i64::MAX));
        let help = "Parts of queries that run";
        gauge.encode(encoder.encode_descriptor("tasks_running", help, None, gauge.metric_type())?)
    }
}
