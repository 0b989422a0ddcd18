//! `tithe serve`: an Arrow Flight SQL server on a lake.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tithe_engine::{ErrorKind, Principal, parse_size};
use tithe_flight_server::{
    IdentityProviderOptions, RollupRefresh, ServeError, ServeOptions, TlsFiles, serve,
};
use tokio::runtime::Runtime;

use crate::cluster::ClusterArguments;
use crate::failure::{Failure, Result};
use crate::lake::LakeArguments;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  tithe serve --lake lake                                  for this machine alone, on port 32010
  tithe serve --lake lake --listen 127.0.0.1:0             on a free port, which it prints
  tithe serve --lake lake --listen 0.0.0.0:32010 --tls-cert server.pem --tls-key server.key --users users.toml \
              --policy policy.json
  tithe serve --lake lake --workers 127.0.0.1:32020,127.0.0.1:32021    with workers (see tithe worker)

Other machines can reach it only with TLS and users (tithe user add): it refuses to start otherwise. Ctrl-C or SIGTERM
ends it once the running queries are done; a second one ends it at once. How clients connect: docs/clients.md.";

/// Options of `tithe serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:32010", value_parser = address)]
    listen: SocketAddr,

    /// The server's certificate and those of its issuers, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Security")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Security")]
    tls_key: Option<PathBuf>,

    /// Let in only clients with a certificate signed by one of these authorities, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Security")]
    tls_client_ca: Option<PathBuf>,

    /// The users who may log in (see `tithe user add`); without it, everyone on this machine
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    users: Option<PathBuf>,

    /// The OpenID Connect provider whose tokens let users in (https://…)
    #[arg(long, value_name = "URL", requires = "oidc_audience", help_heading = "Security")]
    oidc_issuer: Option<String>,

    /// What a token for this server names as its audience
    #[arg(long, value_name = "NAME", requires = "oidc_issuer", help_heading = "Security")]
    oidc_audience: Option<String>,

    /// The claim of a token that holds the user's name
    #[arg(
        long,
        value_name = "CLAIM",
        default_value = "sub",
        requires = "oidc_issuer",
        help_heading = "Security"
    )]
    oidc_user_claim: String,

    /// The claim of a token that lists the groups of its user, for the rules of the policy [default: none]
    #[arg(long, value_name = "CLAIM", requires = "oidc_issuer", help_heading = "Security")]
    oidc_groups_claim: Option<String>,

    /// Authorities that sign the provider's certificate, as PEM, beside those of the system
    #[arg(long, value_name = "FILE", requires = "oidc_issuer", help_heading = "Security")]
    oidc_ca: Option<PathBuf>,

    /// Let clients write tables of the lake: INSERT, CREATE TABLE … AS, DROP TABLE, and uploads of rows; with --policy, as
    /// far as it grants INSERT and OWNERSHIP [default: the server only reads]
    #[arg(long, help_heading = "Security")]
    writable: bool,

    /// Address and port on this machine for /healthz, /readyz and Prometheus' /metrics over HTTP [default: none]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, help_heading = "Operations")]
    operations: Option<SocketAddr>,

    /// Bring rollups up to date every so many seconds (see `tithe rollup`) [default: only on command]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Operations")]
    refresh_rollups: Option<u64>,

    /// Who keeps rollups under a policy: somebody with OWNERSHIP of their tables, or INSERT and DELETE on them
    #[arg(long, value_name = "USER", requires = "refresh_rollups", help_heading = "Operations")]
    refresh_as: Option<String>,

    /// Seconds that a query may take [default: as long as it needs]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    query_timeout: Option<u64>,

    /// Queries that run at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    max_concurrent_queries: u32,

    /// Queries of one user that run at once; more of theirs wait
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    max_queries_per_user: u32,

    /// Memory for answers that are given again while files and permissions are the same; 0 keeps none
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = tithe_engine::parse_size, help_heading = "Limits")]
    result_cache: usize,

    /// Queries that wait for their turn; more are refused
    #[arg(long, value_name = "N", default_value_t = 256, help_heading = "Limits")]
    max_queued_queries: u32,

    /// Bytes of SQL text that one statement may have, such as 1M
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = parse_size, help_heading = "Limits")]
    max_statement_bytes: usize,

    /// Seconds that running queries have when the server is told to stop
    #[arg(long, value_name = "S", default_value_t = 30, help_heading = "Limits")]
    drain_timeout: u64,

    #[command(flatten)]
    cluster: ClusterArguments,

    #[command(flatten)]
    lake: LakeArguments,
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        runtime.block_on(async {
            let opened = self.lake.open_on(&self.cluster, Some(self.result_cache)).await?;
            let Some(location) = &opened.location else {
                return Err(Failure::usage(
                    "there is no lake to serve: name one with --lake, or write a sample with \
                     `tithe gen --scale 0.01 --out lake`",
                ));
            };
            if self.lake.as_user.is_some() {
                return Err(Failure::usage("--as is for local commands: a server's users log in (--users)"));
            }
            let problems =
                opened.engine.policy_problems().await.map_err(|error| Failure::of_opening(&error))?;
            if !problems.is_empty() {
                return Err(Failure::usage(format!(
                    "the policy does not fit the lake, and nothing is served:\n{}",
                    problems.join("\n")
                )));
            }
            if self.refresh_rollups.is_some() && opened.engine.has_policy() && self.refresh_as.is_none() {
                return Err(Failure::usage(
                    "under a policy rollups are kept by somebody: say --refresh-as USER, who needs OWNERSHIP of their tables, \
                     or INSERT and DELETE on them",
                ));
            }
            let options = self.options();
            let scheme = if options.tls.is_some() { "grpc+tls" } else { "grpc" };
            let with_login = options.users.is_some() || options.identity_provider.is_some();
            // From now on, not from when the server is ready: a signal may come at any time.
            let signals = Signals::new()?;
            let shutdown = signals.first("stopping once the running queries are done");
            serve(opened.engine.clone(), options, shutdown, |addresses| {
                let address = format!("{scheme}://{}", addresses.flight_sql);
                eprintln!("serving {location} at {address}");
                if let Some(operations) = addresses.operations {
                    eprintln!("health and metrics at http://{operations}");
                }
                eprintln!("\nfrom Python:\n{}", crate::python::snippet(&address, with_login));
            })
            .await
            .map_err(|error| failure(&error))
        })
    }

    fn options(&self) -> ServeOptions {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_authority: self.tls_client_ca.clone(),
            }),
            _ => None,
        };
        let identity_provider = match (&self.oidc_issuer, &self.oidc_audience) {
            (Some(issuer), Some(audience)) => Some(IdentityProviderOptions {
                issuer: issuer.clone(),
                audience: audience.clone(),
                user_claim: self.oidc_user_claim.clone(),
                groups_claim: self.oidc_groups_claim.clone(),
                authority: self.oidc_ca.clone(),
            }),
            _ => None,
        };
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let rollup_refresh = self.refresh_rollups.map(|seconds| RollupRefresh {
            every: Duration::from_secs(seconds),
            principal: self.refresh_as.as_deref().map_or_else(Principal::local, Principal::from),
        });
        ServeOptions {
            tls,
            users: self.users.clone(),
            identity_provider,
            operations: self.operations,
            writable: self.writable,
            query_timeout: self.query_timeout.map(Duration::from_secs),
            max_concurrent_queries: count(self.max_concurrent_queries),
            max_queries_per_user: count(self.max_queries_per_user),
            max_queued_queries: count(self.max_queued_queries),
            max_statement_bytes: self.max_statement_bytes,
            drain_timeout: Duration::from_secs(self.drain_timeout),
            rollup_refresh,
            ..ServeOptions::new(self.listen)
        }
    }
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_error| "write an IP address and a port, such as 127.0.0.1:32010".to_owned())
}

pub(crate) fn failure(error: &ServeError) -> Failure {
    let message = error.to_string();
    match error.kind() {
        ErrorKind::Connection => Failure::Connection(message),
        ErrorKind::Usage => Failure::Usage(message),
        _ => Failure::Failed(message),
    }
}
