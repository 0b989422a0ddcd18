//! Listens, and stops when told to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use futures::{FutureExt, StreamExt};
use tithe_engine::{Engine, EngineError, ErrorKind};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::{info, warn};

use crate::authentication::{
    Authenticator, IdentityProvider, IdentityProviderError, IdentityProviderOptions, Users, UsersError,
};
use crate::connection::Connection;
use crate::health::Health;
use crate::limits::Limits;
use crate::operations::Operations;
use crate::reflection::reflected;
use crate::request_end::WithRequestEnd;
use crate::rollup_refresh::{RollupRefresh, keep_fresh};
use crate::running::Running;
use crate::service::FlightSql;
use crate::status_page::StatusPage;
use crate::tls::{Tls, encrypted};
use crate::traced::Traced;
use crate::workers::QueryThreads;

/// Below the minute after which common proxies cut a connection that is silent.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(30);
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Of one message of rows that a client uploads: drivers send a whole batch in one.
const LARGEST_UPLOAD: usize = 256 << 20;
/// Until connections that were closed may have given back what the next one needs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Certificate and key of a server, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Certificates of the authorities that sign clients' certificates; with them, a client without one is not
    /// let in, before it may say who its user is.
    pub client_authority: Option<PathBuf>,
}

/// How a server listens, whom it lets in and how much they may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key; none for a server without encryption, which listens on loopback alone.
    pub tls: Option<TlsFiles>,
    /// TOML file with `[[user]]` entries of `name` and `password_hash` (see [`crate::hash_password`]); without it
    /// everyone on this machine is the principal `local`.
    pub users: Option<PathBuf>,
    /// Whose tokens let users in too, or alone when there is no users file.
    pub identity_provider: Option<IdentityProviderOptions>,
    /// How long a query may take, to be planned and again to be fetched; none for as long as it needs.
    pub query_timeout: Option<Duration>,
    /// Queries that run at once; at least 1.
    pub max_concurrent_queries: usize,
    /// Queries of one user that run at once; at least 1.
    pub max_queries_per_user: usize,
    /// Queries that wait for one of those to end; more are refused.
    pub max_queued_queries: usize,
    /// How long a query waits before it is refused.
    pub queue_timeout: Duration,
    /// Bytes of SQL text in one statement.
    pub max_statement_bytes: usize,
    /// Address and port for health and metrics over HTTP, on loopback; none for no such port.
    pub operations: Option<SocketAddr>,
    /// Whether statements and uploads may write tables of the lake, as far as the policy grants it.
    pub writable: bool,
    /// How long running queries may go on when the server is told to stop.
    pub drain_timeout: Duration,
    /// How rollups are kept up to date; none where somebody else does it.
    pub rollup_refresh: Option<RollupRefresh>,
}

impl ServeOptions {
    /// A server on `listen` without TLS, users or query timeout: 64 queries run, 32 of one user, and 256 wait at most 30 seconds, each
    /// of at most 1 MiB; stopping takes at most 30 seconds.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            users: None,
            identity_provider: None,
            query_timeout: None,
            max_concurrent_queries: 64,
            max_queries_per_user: 32,
            max_queued_queries: 256,
            queue_timeout: Duration::from_secs(30),
            max_statement_bytes: 1024 * 1024,
            operations: None,
            writable: false,
            drain_timeout: Duration::from_secs(30),
            rollup_refresh: None,
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// For Flight SQL.
    pub flight_sql: SocketAddr,
    /// For health and metrics, if asked for.
    pub operations: Option<SocketAddr>,
}

/// A server that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Other machines could reach a server that lacks protection.
    #[error(
        "refusing to listen on {listen}, which other machines can reach, without {missing}: configure a TLS certificate \
         with its key, and a users file or an identity provider, or listen on 127.0.0.1"
    )]
    Exposed {
        /// The address asked for.
        listen: SocketAddr,
        /// What is not configured.
        missing: &'static str,
    },
    /// Other machines could reach the port for health and metrics, which knows nobody.
    #[error(
        "refusing to listen on {listen} for health and metrics: that port has neither TLS nor users, so only this \
         machine may reach it; listen on 127.0.0.1, and let an agent here pass on what others need"
    )]
    ExposedOperations {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// Other machines could reach a worker that lacks protection.
    #[error(
        "refusing to listen on {listen}, which other machines can reach, without {missing}: give the worker the \
         cluster's secret and certificates, or listen on 127.0.0.1"
    )]
    ExposedWorker {
        /// The address asked for.
        listen: SocketAddr,
        /// What is not configured.
        missing: &'static str,
    },
    /// The worker cannot be set up.
    #[error(transparent)]
    Worker(#[from] EngineError),
    /// Other machines could write a lake without anybody saying who may.
    #[error(
        "refusing to listen on {listen}, which other machines can reach, as a server that writes without a policy: say in \
         one who may INSERT into and has OWNERSHIP of which tables, or listen on 127.0.0.1"
    )]
    WritableWithoutPolicy {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// Another program has the port.
    #[error("port {} of {} is in use by another program: stop it, or listen on another port", listen.port(), listen.ip())]
    PortInUse {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The operating system does not let us listen there.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    TlsFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate and key cannot be used.
    #[error(
        "cannot use the certificate {} with the key {}: {reason}", files.certificate.display(), files.key.display()
    )]
    Tls {
        /// Which files.
        files: TlsFiles,
        /// Why.
        reason: String,
    },
    /// The users file cannot be used.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The identity provider cannot be used.
    #[error(transparent)]
    IdentityProvider(#[from] IdentityProviderError),
    /// The server broke.
    #[error("the server stopped: {0}")]
    Broken(String),
}

impl ServeError {
    /// That the port for health and metrics has ended, which it does not by itself.
    pub(crate) fn of_operations(ended: std::io::Result<()>) -> Self {
        Self::Broken(match ended {
            Ok(()) => "the port for health and metrics closed".to_owned(),
            Err(error) => error.to_string(),
        })
    }

    /// What a caller does about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::PortInUse { .. }
            | Self::Listen { .. }
            | Self::IdentityProvider(
                IdentityProviderError::Unreachable { .. } | IdentityProviderError::Answer { .. },
            ) => ErrorKind::Connection,
            Self::Broken(_) => ErrorKind::Execution,
            Self::Worker(error) => error.kind(),
            Self::Exposed { .. }
            | Self::ExposedWorker { .. }
            | Self::ExposedOperations { .. }
            | Self::WritableWithoutPolicy { .. }
            | Self::TlsFile { .. }
            | Self::Tls { .. }
            | Self::Users(_)
            | Self::IdentityProvider(_) => ErrorKind::Usage,
        }
    }
}

/// Serves `engine` over Arrow Flight SQL until `shutdown` is done; calls `on_ready` with the address once it listens.
///
/// Then no new queries come in, running ones may go on for [`ServeOptions::drain_timeout`], and what is left is ended.
///
/// # Errors
/// When the address is not on loopback and TLS or users are missing, when the port, the certificate, the key, the
/// users file or the identity provider cannot be used, or when the server breaks.
pub async fn serve(
    engine: Arc<Engine>,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
    on_ready: impl FnOnce(Addresses),
) -> Result<(), ServeError> {
    check_exposure(&options)?;
    if options.writable && !engine.has_policy() && !options.listen.ip().to_canonical().is_loopback() {
        return Err(ServeError::WritableWithoutPolicy { listen: options.listen });
    }
    let users = options.users.as_deref().map(Users::load).transpose()?;
    let tls = options.tls.as_ref().map(Tls::load).transpose()?;
    let identity_provider = match &options.identity_provider {
        Some(options) => Some(IdentityProvider::connect(options).await?),
        None => None,
    };
    let stop = CancellationToken::new();
    let _stop_on_return = stop.clone().drop_guard();
    let limits = Arc::new(Limits::new(&options));
    let takes_no_more = CancellationToken::new();
    let operations = Operations::of_server(Arc::clone(&engine), Arc::clone(&limits), takes_no_more.clone());
    let health = Health::start(operations.clone(), stop.clone());
    let authenticator = Arc::new(Authenticator::new(users, identity_provider));
    let running = Running::new(stop.clone());
    let threads = QueryThreads::start()
        .map_err(|error| ServeError::Broken(format!("no threads for queries: {error}")))?;
    if let Some(refresh) = options.rollup_refresh.clone() {
        let refreshing = keep_fresh(Arc::clone(&engine), refresh, threads.large.clone());
        let until = stop.clone();
        tokio::spawn(async move { until.run_until_cancelled(refreshing).await });
    }
    let known = Arc::clone(&authenticator);
    let status_page = StatusPage::new(Arc::clone(&engine), known, running.clone(), threads.small.clone())
        .map_err(|_unspecified| ServeError::Broken("the machine gives no random numbers".to_owned()))?;
    let service = FlightSql::new(engine, authenticator, limits, running, threads, options.writable)
        .map_err(|status| ServeError::Broken(status.message().to_owned()))?;

    let mut flight_service = FlightServiceServer::new(service);
    if options.writable {
        flight_service = flight_service.max_decoding_message_size(LARGEST_UPLOAD);
    }
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT));
    let (incoming, address) = bind(options.listen)?;
    let incoming = incoming.filter_map(connection).boxed();
    let operations_listener = match options.operations {
        Some(listen) => Some(Operations::bind(listen).await?),
        None => None,
    };
    let operations_address = operations_listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let operating = operations.serve_where_asked(operations_listener, Some(status_page));

    let (drain, draining) = oneshot::channel::<()>();
    let draining = async { draining.await.unwrap_or(()) };
    let router = server.add_service(health.service()).add_service(Traced(WithRequestEnd(flight_service)));
    let router = reflected(router, &takes_no_more).map_err(|error| ServeError::Broken(error.to_string()))?;
    let serving = match tls {
        Some(tls) => {
            let watching = Arc::clone(&tls);
            let until = stop.clone();
            tokio::spawn(async move { until.run_until_cancelled(watching.watch()).await });
            router.serve_with_incoming_shutdown(encrypted(incoming, tls), draining).left_future()
        }
        None => router.serve_with_incoming_shutdown(incoming, draining).right_future(),
    };
    let stopping = async {
        shutdown.await;
        info!("stopping: no new queries");
        takes_no_more.cancel();
        health.end().await;
        drain.send(()).ok();
        tokio::time::sleep(options.drain_timeout).await;
        warn!("ending the queries that still run");
        stop.cancel();
        // Ended queries still have to tell their clients.
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    info!(%address, tls = options.tls.is_some(), users = options.users.is_some(), "serving Arrow Flight SQL");
    on_ready(Addresses { flight_sql: address, operations: operations_address });
    tokio::select! {
        served = serving => served.map_err(|error| ServeError::Broken(error.to_string())),
        () = stopping => Ok(()),
        operated = operating => Err(ServeError::of_operations(operated)),
    }
}

fn check_exposure(options: &ServeOptions) -> Result<(), ServeError> {
    let listen = options.listen;
    let with_users = options.users.is_some() || options.identity_provider.is_some();
    let missing = match (&options.tls, with_users) {
        _ if listen.ip().to_canonical().is_loopback() => return Ok(()),
        (Some(_), true) => return Ok(()),
        (None, false) => "TLS and users",
        (None, true) => "TLS",
        (Some(_), false) => "users",
    };
    Err(ServeError::Exposed { listen, missing })
}

/// The connection, unless there is none: an error here, such as too many open files, would end the server.
pub(crate) async fn connection(accepted: std::io::Result<TcpStream>) -> Option<std::io::Result<Connection>> {
    match accepted {
        Ok(stream) => Some(Ok(Connection::new(stream))),
        Err(error) => {
            warn!(%error, "a connection is not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

pub(crate) fn bind(listen: SocketAddr) -> Result<(TcpIncoming, SocketAddr), ServeError> {
    let refused = |source| listen_error(listen, source);
    let incoming = TcpIncoming::bind(listen).map_err(refused)?;
    let address = incoming.local_addr().map_err(refused)?;
    Ok((incoming.with_nodelay(Some(true)).with_keepalive(Some(KEEP_ALIVE)), address))
}

pub(crate) fn listen_error(listen: SocketAddr, source: std::io::Error) -> ServeError {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::PortInUse { listen },
        _ => ServeError::Listen { listen, source },
    }
}
