//! The section `[cluster]` of a `tithe.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::cluster::{ClusterIdentity, ClusterOptions, ClusterTls, WorkerAddresses};
use crate::memory_size::Size;

/// What a `tithe.toml` says of the cluster; the defaults are what is used without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfiguration {
    /// Where workers are looked for; none for a node that runs everything itself.
    pub workers: Option<WorkerAddresses>,
    /// What the cluster's nodes know each other by.
    pub identity: ClusterIdentity,
    /// See [`ClusterOptions::minimum_bytes`].
    pub minimum_bytes: u64,
    /// See [`ClusterOptions::bytes_per_partition`].
    pub bytes_per_partition: usize,
    /// See [`ClusterOptions::retries`].
    pub retries: u32,
    /// See [`ClusterOptions::timeout`].
    pub timeout: Duration,
}

impl Default for ClusterConfiguration {
    fn default() -> Self {
        Self {
            workers: None,
            identity: ClusterIdentity::default(),
            minimum_bytes: 64 << 20,
            bytes_per_partition: 16 << 20,
            retries: 2,
            timeout: Duration::from_secs(10),
        }
    }
}

impl ClusterConfiguration {
    /// Options for a coordinator; none without workers.
    #[must_use]
    pub fn options(self) -> Option<ClusterOptions> {
        Some(ClusterOptions {
            workers: self.workers?,
            identity: self.identity,
            minimum_bytes: self.minimum_bytes,
            bytes_per_partition: self.bytes_per_partition,
            retries: self.retries,
            timeout: self.timeout,
            interval: self.timeout / 2,
        })
    }
}

/// The section as it is written.
#[derive(Deserialize, Default)]
pub(crate) struct Section {
    workers: Option<String>,
    secret_file: Option<PathBuf>,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    minimum: Option<Size>,
    per_partition: Option<Size>,
    retries: Option<u32>,
    timeout_seconds: Option<u64>,
    #[serde(flatten)]
    pub(crate) unknown: BTreeMap<String, toml::Value>,
}

/// Its keys.
pub(crate) const KEYS: [&str; 9] = [
    "workers",
    "secret_file",
    "authority",
    "certificate",
    "key",
    "minimum",
    "per_partition",
    "retries",
    "timeout_seconds",
];

impl Section {
    /// What it means; paths are relative to `base`.
    pub(crate) fn check(self, base: &Path) -> std::result::Result<ClusterConfiguration, String> {
        let usual = ClusterConfiguration::default();
        let bytes = |size: Option<Size>, name: &str, usual: usize| match size {
            Some(size) => size.bytes().map_err(|reason| format!("cluster.{name}: {reason}")),
            None => Ok(usual),
        };
        let workers = self.workers.map(|workers| workers.parse::<WorkerAddresses>());
        let tls = match (self.authority, self.certificate, self.key) {
            (Some(authority), Some(certificate), Some(key)) => Some(ClusterTls {
                authority: base.join(authority),
                certificate: base.join(certificate),
                key: base.join(key),
            }),
            (None, None, None) => None,
            _ => {
                return Err(
                    "cluster.authority, .certificate and .key belong together: give all three".to_owned()
                );
            }
        };
        let minimum = usize::try_from(usual.minimum_bytes).unwrap_or(usize::MAX);
        let per_partition = bytes(self.per_partition, "per_partition", usual.bytes_per_partition)?;
        if per_partition == 0 || self.timeout_seconds == Some(0) {
            return Err("cluster.per_partition and cluster.timeout_seconds are at least 1".to_owned());
        }
        Ok(ClusterConfiguration {
            workers: workers.transpose().map_err(|error| format!("cluster.workers: {error}"))?,
            identity: ClusterIdentity { secret_file: self.secret_file.map(|file| base.join(file)), tls },
            minimum_bytes: u64::try_from(bytes(self.minimum, "minimum", minimum)?).unwrap_or(u64::MAX),
            bytes_per_partition: per_partition,
            retries: self.retries.unwrap_or(usual.retries),
            timeout: self.timeout_seconds.map_or(usual.timeout, Duration::from_secs),
        })
    }
}
