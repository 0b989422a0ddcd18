//! A server on the sample lake, asked by the clients that people use: arrow-flight's own in these files, Python's in
//! `clients`. One binary, since each links a whole query engine.

#![cfg(test)]

mod cancel;
mod certificates;
mod clients;
mod errors;
mod health;
mod identity_provider;
mod limits;
mod login;
mod messages;
mod metadata;
mod mutual_tls;
mod operations;
mod policy;
mod poll;
mod prepared;
mod queries;
mod query_limits;
mod random_parameters;
mod read_only;
mod reflection;
mod schemas;
mod session_options;
mod starting;
mod status_page;
mod support;
mod tickets;
mod worker;
mod writing;
