//! The options that say which cluster a node belongs to.

use std::path::PathBuf;

use clap::Args;
use tithe_engine::{ClusterConfiguration, ClusterIdentity, ClusterOptions, ClusterTls, WorkerAddresses};

/// Which workers run parts of queries.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ClusterArguments {
    /// Workers that run parts of large queries: HOST:PORT, or dns:NAME:PORT for all addresses of a name, separated by
    /// commas [default: the configuration's, else none]
    #[arg(long, value_name = "WORKERS", help_heading = "Cluster")]
    workers: Option<WorkerAddresses>,

    #[command(flatten)]
    identity: IdentityArguments,
}

impl ClusterArguments {
    /// What stands on the command line, before `configured`; none without workers.
    pub(crate) fn options(&self, configured: ClusterConfiguration) -> Option<ClusterOptions> {
        ClusterConfiguration {
            workers: self.workers.clone().or(configured.workers),
            identity: self.identity.identity(configured.identity),
            ..configured
        }
        .options()
    }
}

/// What the nodes of a cluster know each other by.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct IdentityArguments {
    /// The cluster's secret: a file of at least 32 random bytes, the same on every node
    #[arg(long, env = "TITHE_CLUSTER_SECRET_FILE", value_name = "FILE", help_heading = "Cluster")]
    cluster_secret: Option<PathBuf>,

    /// The authority that signed the certificates of the cluster's nodes, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["cluster_cert", "cluster_key"], help_heading = "Cluster")]
    cluster_ca: Option<PathBuf>,

    /// This node's certificate, for serving and for asking, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["cluster_ca", "cluster_key"], help_heading = "Cluster")]
    cluster_cert: Option<PathBuf>,

    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["cluster_ca", "cluster_cert"], help_heading = "Cluster")]
    cluster_key: Option<PathBuf>,
}

impl IdentityArguments {
    /// What stands on the command line, before `configured`.
    pub(crate) fn identity(&self, configured: ClusterIdentity) -> ClusterIdentity {
        let tls = match (&self.cluster_ca, &self.cluster_cert, &self.cluster_key) {
            (Some(authority), Some(certificate), Some(key)) => Some(ClusterTls {
                authority: authority.clone(),
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            _ => None,
        };
        ClusterIdentity {
            secret_file: self.cluster_secret.clone().or(configured.secret_file),
            tls: tls.or(configured.tls),
        }
    }
}
