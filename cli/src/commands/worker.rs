//! `tithe worker`: runs parts of the queries of `tithe serve --workers`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use tithe_flight_server::{WorkerOptions, serve_worker};
use tokio::runtime::Runtime;

use crate::cluster::IdentityArguments;
use crate::commands::serve::{address, failure};
use crate::failure::{Failure, Result};
use crate::lake::LakeArguments;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  tithe worker --lake lake --listen 127.0.0.1:32020        for a server on this machine
  tithe worker --lake s3://authority/lake --listen 0.0.0.0:32020 --cluster-secret secret \
                --cluster-ca ca.pem --cluster-cert node.pem --cluster-key node.key

Other machines can reach it only with a secret and certificates: it refuses to start otherwise. Ctrl-C or SIGTERM ends it
once its tasks are done; a second one ends it at once. How a cluster is run: docs/cluster.md.";

/// Options of `tithe worker`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:32020", value_parser = address)]
    listen: SocketAddr,

    #[command(flatten)]
    identity: IdentityArguments,

    /// Address and port on this machine for /healthz, /readyz and Prometheus' /metrics over HTTP [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, help_heading = "Operations")]
    operations: Option<SocketAddr>,

    /// Seconds that running tasks have when the worker is told to stop
    #[arg(long, value_name = "S", default_value_t = 30, help_heading = "Limits")]
    drain_timeout: u64,

    #[command(flatten)]
    lake: LakeArguments,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        runtime.block_on(async {
            let opened = self.lake.open_as_worker().await?;
            let Some(location) = &opened.location else {
                return Err(Failure::usage("there is no lake to work on: name the server's with --lake"));
            };
            let configured = self.lake.cluster().map_err(|error| Failure::of_opening(&error))?;
            let options = WorkerOptions {
                listen: self.listen,
                identity: self.identity.identity(configured.identity),
                timeout: configured.timeout,
                operations: self.operations,
                drain_timeout: Duration::from_secs(self.drain_timeout),
            };
            let signals = Signals::new()?;
            let shutdown = signals.first("stopping once the running tasks are done");
            serve_worker(opened.engine.clone(), options, shutdown, |listens| {
                eprintln!("working on {location} at {}", listens.tasks);
                if let Some(operations) = listens.operations {
                    eprintln!("health and metrics at http://{operations}");
                }
            })
            .await
            .map_err(|error| failure(&error))
        })
    }
}
