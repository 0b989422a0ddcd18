//! The program as its users meet it: the real binary, one file a theme.

#![cfg(test)]

mod audit;
mod bad_input;
mod cluster;
mod cluster_faults;
mod cluster_proxy;
mod configuration;
mod demo;
mod deploy;
mod exit_codes;
mod formats;
mod functions;
mod generate;
mod help;
mod interrupt;
mod job;
mod job_kill;
mod job_s3;
mod job_support;
mod library_memory;
mod optimize;
mod optimize_kill;
mod output;
mod policy;
mod query_library;
mod rollup;
mod scan;
mod script;
mod serve;
mod shell;
mod support;
mod traces;
mod user;
