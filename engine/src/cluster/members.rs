//! The workers that may be used now, kept by asking them for a sign of life.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use futures::future::join_all;
use prometheus_client::registry::Registry;
use url::Url;

use crate::cluster::addresses::Address;
use crate::cluster::channels::Channels;
use crate::cluster::fingerprint::Fingerprint;
use crate::cluster::metrics::ClusterMetrics;
use crate::cluster::options::ClusterOptions;
use crate::cluster::probe::probe;
use crate::error::Result;

/// A worker that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) url: Url,
    pub(crate) shown: String,
    /// Different for every start of the worker.
    pub(crate) instance: String,
}

#[derive(Debug, Default)]
struct Known {
    members: Vec<Member>,
    problems: Vec<String>,
}

/// A coordinator's workers.
#[derive(Debug)]
pub(crate) struct Cluster {
    options: ClusterOptions,
    own: Fingerprint,
    channels: Arc<Channels>,
    known: RwLock<Known>,
    /// Where workers were looked for last.
    addresses: Mutex<Vec<Address>>,
    pub(crate) metrics: ClusterMetrics,
}

impl Cluster {
    /// Asks every address once, and from then on again and again.
    ///
    /// # Errors
    /// When the cluster's secret or TLS files cannot be used. Workers that cannot be used are no error: see
    /// [`Cluster::problems`].
    pub(crate) async fn open(options: ClusterOptions, own: Fingerprint) -> Result<Arc<Self>> {
        let channels = Arc::new(Channels::new(&options.identity, &own, options.timeout)?);
        let known = RwLock::default();
        let (addresses, metrics) = (Mutex::default(), ClusterMetrics::default());
        let cluster = Arc::new(Self { options, own, channels, known, addresses, metrics });
        cluster.refresh().await;
        let watched = Arc::downgrade(&cluster);
        cluster.channels.threads().handle().spawn(watch(watched));
        Ok(cluster)
    }

    pub(crate) fn options(&self) -> &ClusterOptions {
        &self.options
    }

    pub(crate) fn channels(&self) -> &Arc<Channels> {
        &self.channels
    }

    pub(crate) fn members(&self) -> Vec<Member> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).members.clone()
    }

    /// Why addresses are not used, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).problems.clone()
    }

    pub(crate) fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// The names of those of `used` that are no longer the workers they were, asked now.
    pub(crate) async fn lost(&self, used: &[Member]) -> Vec<String> {
        self.refresh().await;
        let now = self.members();
        used.iter().filter(|member| !now.contains(member)).map(|member| member.shown.clone()).collect()
    }

    async fn refresh(&self) {
        let timeout = self.options.timeout;
        let before = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let scheme = self.options.identity.scheme();
        let (addresses, mut problems) = self.options.workers.resolve(scheme, timeout, &before).await;
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&addresses);
        self.channels.keep_only(&addresses.iter().map(|address| &address.url).collect::<Vec<_>>());
        let probes = addresses.iter().map(|address| probe(&self.channels, &self.own, address, timeout));
        let mut members = Vec::new();
        for answer in join_all(probes).await {
            match answer {
                Ok(member) => members.push(member),
                Err(problem) => problems.push(problem),
            }
        }
        self.metrics.workers.set(i64::try_from(members.len()).unwrap_or(i64::MAX));
        let now = Known { members, problems };
        let before = std::mem::replace(
            &mut *self.known.write().unwrap_or_else(PoisonError::into_inner),
            Known { members: now.members.clone(), problems: now.problems.clone() },
        );
        tell(&before, &now);
    }
}

/// Logs what is new, once.
fn tell(before: &Known, now: &Known) {
    for member in now.members.iter().filter(|member| !before.members.contains(member)) {
        tracing::info!(worker = member.shown, "a worker has joined");
    }
    for problem in now.problems.iter().filter(|problem| !before.problems.contains(problem)) {
        tracing::warn!("{problem}");
    }
}

async fn watch(cluster: Weak<Cluster>) {
    loop {
        let Some(interval) = cluster.upgrade().map(|cluster| cluster.options.interval) else { return };
        tokio::time::sleep(interval).await;
        let Some(cluster) = cluster.upgrade() else { return };
        cluster.refresh().await;
    }
}
