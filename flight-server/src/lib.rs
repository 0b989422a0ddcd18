//! Tithe's Arrow Flight SQL server: lets ADBC, JDBC, polars, pandas and BI tools query a lake.
//!
//! [`serve`] listens until it is told to stop. It knows gRPC, tokens and sessions; every statement goes through
//! [`tithe_engine::Session::query`], so nothing here can see a row that the engine would not show. Unless it is
//! told otherwise, the server is read-only: statements that change tables are refused before they run.
//!
//! [`serve_worker`] is the port of a worker that runs parts of other servers' queries.

mod authentication;
mod commands;
mod connection;
mod health;
mod limits;
mod operations;
mod reflection;
mod request_end;
mod rollup_refresh;
mod run_state;
mod running;
mod server;
mod service;
mod session;
mod split;
mod status;
mod status_page;
mod stream;
mod ticket;
mod tls;
mod traced;
mod wire_schema;
mod worker_server;
mod workers;

pub use authentication::{
    IdentityProviderError, IdentityProviderOptions, PasswordError, UsersError, hash_password,
};
pub use rollup_refresh::RollupRefresh;
pub use server::{Addresses, ServeError, ServeOptions, TlsFiles, serve};
pub use worker_server::{WorkerListens, WorkerOptions, serve_worker};
