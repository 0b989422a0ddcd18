//! Connections to workers, one to each, that notice when the other side falls silent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use http::HeaderValue;
use tonic::body::Body;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tower::ServiceExt;
use url::Url;

use crate::cluster::addresses::NAME;
use crate::cluster::fingerprint::{FINGERPRINT_HEADER, Fingerprint};
use crate::cluster::identity::{ClusterIdentity, SECRET_HEADER};
use crate::cluster::threads::Threads;
use crate::error::{EngineError, Result};

/// As large as there is: a stream whose reader waits must not hold up the others on its connection, for which that reader
/// may be waiting. Each stream has a window of its own.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// Connections of one node to the workers.
pub(crate) struct Channels {
    tls: Option<ClientTlsConfig>,
    secret: Option<HeaderValue>,
    fingerprint: HeaderValue,
    timeout: Duration,
    /// Queries may compute for long without a pause; a connection on their threads would look dead.
    threads: Threads,
    open: Mutex<BTreeMap<Url, BoxCloneSyncChannel>>,
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").finish_non_exhaustive()
    }
}

impl Channels {
    pub(super) fn new(identity: &ClusterIdentity, own: &Fingerprint, timeout: Duration) -> Result<Self> {
        let threads =
            Threads::start("tithe-cluster", Some(1)).map_err(|error| EngineError::Configuration {
                origin: "the cluster".to_owned(),
                reason: format!("its threads cannot be started: {error}"),
            })?;
        Ok(Self {
            tls: identity.client_tls()?,
            secret: identity.secret()?.and_then(|secret| secret.header()),
            fingerprint: HeaderValue::from_str(&own.digest())
                .map_err(|error| EngineError::Defect { reason: error.to_string() })?,
            timeout,
            threads,
            open: Mutex::default(),
        })
    }

    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The worker behind `url`, whether or not it is there.
    pub(super) fn worker(&self, url: &Url) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(url) {
            return Ok(create_worker_client(channel.clone()));
        }
        let channel = self.connect(url)?;
        open.insert(url.clone(), channel.clone());
        Ok(create_worker_client(channel))
    }

    /// Closes connections to workers that nobody names any more.
    pub(super) fn keep_only(&self, urls: &[&Url]) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|url, _channel| urls.contains(&url));
    }

    fn connect(&self, url: &Url) -> Result<BoxCloneSyncChannel, DataFusionError> {
        let refuse = |error: tonic::transport::Error| DataFusionError::External(Box::new(error));
        let name = url.query_pairs().find(|(key, _name)| key == NAME).map(|(_key, name)| name.into_owned());
        let mut address = url.clone();
        address.set_query(None);
        let mut endpoint = Endpoint::from_shared(address.to_string())
            .map_err(refuse)?
            .connect_timeout(self.timeout)
            .tcp_nodelay(true)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(self.timeout / 2)
            .keep_alive_timeout(self.timeout / 2)
            .keep_alive_while_idle(true);
        if let Some(tls) = self.tls.clone() {
            let tls = match name {
                Some(name) => tls.domain_name(name),
                None => tls,
            };
            endpoint = endpoint.tls_config(tls).map_err(refuse)?;
        }
        let channel: Channel = {
            let _threads = self.threads.handle().enter();
            endpoint.connect_lazy()
        };
        let (secret, fingerprint) = (self.secret.clone(), self.fingerprint.clone());
        Ok(BoxCloneSyncChannel::new(channel.map_request(move |mut request: http::Request<Body>| {
            let headers = request.headers_mut();
            headers.insert(FINGERPRINT_HEADER, fingerprint.clone());
            if let Some(secret) = &secret {
                headers.insert(SECRET_HEADER, secret.clone());
            }
            request
        })))
    }
}

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        self.worker(url)
    }
}
