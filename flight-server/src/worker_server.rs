//! Listens as a worker of a cluster, and stops when told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use tithe_engine::{ClusterIdentity, Engine, WorkerService};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{info, warn};

use crate::operations::Operations;
use crate::server::{KEEP_ALIVE, KEEP_ALIVE_TIMEOUT, ServeError, TlsFiles, bind, connection};
use crate::tls::{Tls, encrypted};

/// Every task of every query holds some on the one connection from its coordinator: none may wait for another's end.
const STREAMS: u32 = 1 << 16;

/// How a worker listens and whom it works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it knows the cluster by; beyond loopback, secret and certificates are both needed.
    pub identity: ClusterIdentity,
    /// How long another worker may be silent before it counts as lost.
    pub timeout: Duration,
    /// Address and port for health and metrics over HTTP, on loopback; none for no such port.
    pub operations: Option<SocketAddr>,
    /// How long tasks may go on when the worker is told to stop.
    pub drain_timeout: Duration,
}

/// Where a worker listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerListens {
    /// For tasks.
    pub tasks: SocketAddr,
    /// For health and metrics, if asked for.
    pub operations: Option<SocketAddr>,
}

/// Serves tasks on the lake of `engine` until `shutdown` is done; calls `on_ready` with its addresses once it listens.
///
/// Then no new tasks come in, and those that have begun may go on for [`WorkerOptions::drain_timeout`].
///
/// # Errors
/// When the address is not on loopback and the secret or the certificates are missing, when the port or one of the
/// files cannot be used, when the port for health and metrics is not on loopback, or when the server breaks.
pub async fn serve_worker(
    engine: Arc<Engine>,
    options: WorkerOptions,
    shutdown: impl Future<Output = ()>,
    on_ready: impl FnOnce(WorkerListens),
) -> Result<(), ServeError> {
    check_exposure(&options)?;
    let service = WorkerService::new(&engine, &options.identity, options.timeout)?;
    let mut server = Server::builder()
        .max_concurrent_streams(Some(STREAMS))
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT));
    let tls = options.identity.tls.as_ref().map(|tls| {
        Tls::load(&TlsFiles {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            client_authority: Some(tls.authority.clone()),
        })
    });
    let tls = tls.transpose()?;
    let (incoming, address) = bind(options.listen)?;
    let incoming = incoming.filter_map(connection).boxed();
    let operations_listener = match options.operations {
        Some(listen) => Some(Operations::bind(listen).await?),
        None => None,
    };
    let operations_address = operations_listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let takes_no_more = CancellationToken::new();
    let operations = Operations::of_worker(engine, service.clone(), takes_no_more.clone());
    let operating = operations.serve_where_asked(operations_listener, None);
    let (close, closing) = oneshot::channel::<()>();
    let closing = async { closing.await.unwrap_or(()) };
    let router = server.add_service(service.clone());
    let serving = match tls {
        Some(tls) => router.serve_with_incoming_shutdown(encrypted(incoming, tls), closing).left_future(),
        None => router.serve_with_incoming_shutdown(incoming, closing).right_future(),
    };
    let stopping = async {
        shutdown.await;
        takes_no_more.cancel();
        info!(tasks = service.running(), "stopping: no new tasks");
        if tokio::time::timeout(options.drain_timeout, service.drain()).await.is_err() {
            warn!(tasks = service.running(), "ending the tasks that still run");
        }
        close.send(()).ok();
        // The last answers still have to leave.
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let secret = options.identity.secret_file.is_some();
    info!(%address, tls = options.identity.tls.is_some(), secret, "working for a cluster");
    on_ready(WorkerListens { tasks: address, operations: operations_address });
    tokio::select! {
        served = serving => served.map_err(|error| ServeError::Broken(error.to_string())),
        () = stopping => Ok(()),
        operated = operating => Err(ServeError::of_operations(operated)),
    }
}

fn check_exposure(options: &WorkerOptions) -> Result<(), ServeError> {
    let listen = options.listen;
    let missing = match (&options.identity.tls, &options.identity.secret_file) {
        _ if listen.ip().to_canonical().is_loopback() => return Ok(()),
        (Some(_), Some(_)) => return Ok(()),
        (None, None) => "TLS and a cluster secret",
        (None, Some(_)) => "TLS",
        (Some(_), None) => "a cluster secret",
    };
    Err(ServeError::ExposedWorker { listen, missing })
}
