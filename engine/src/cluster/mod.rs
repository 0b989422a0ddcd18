//! The workers that run parts of a query: who they are, whether they can be trusted and whether they live.
//!
//! `addresses` says where workers may be, `identity` proves that both sides belong together, `fingerprint` that they
//! would give the same answer, `members` keeps the list of those that do. `worker` is the other end.

mod addresses;
mod carried;
mod channels;
mod configuration;
mod fingerprint;
mod identity;
mod members;
mod metrics;
mod options;
mod probe;
mod sessions;
mod threads;
mod worker;

pub use addresses::WorkerAddresses;
pub use configuration::ClusterConfiguration;
pub(crate) use configuration::{KEYS as CLUSTER_KEYS, Section as ClusterSection};
pub(crate) use fingerprint::Fingerprint;
pub use identity::{ClusterIdentity, ClusterTls};
pub(crate) use members::{Cluster, Member};
pub use options::ClusterOptions;
pub(crate) use sessions::distributed_state;
pub use worker::WorkerService;
