//! The verbs: one file each, with its options and what it does.

mod audit;
mod demo;
pub(crate) mod functions;
mod r#gen;
mod job;
mod job_progress;
mod job_run;
mod job_status;
mod job_verify;
mod optimize;
mod policy;
mod policy_test;
mod query;
mod rollup;
mod scan;
mod serve;
pub(crate) mod sql;
mod user;
mod worker;

use clap::Subcommand;
use tokio::runtime::Runtime;

use crate::failure::Result;

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run SQL: a shell, or statements from the command line, a file or standard input
    Sql(sql::Arguments),
    /// List, show and run the questions that are already answered
    Query(query::Arguments),
    /// Run batch jobs that go on where they were stopped
    Job(job::Arguments),
    /// Write a table's files anew, sorted for the queries that are asked of it
    Optimize(Box<optimize::Arguments>),
    /// Keep aggregates beside a table, from which dashboards are answered at once
    Rollup(rollup::Arguments),
    /// List Tithe's SQL functions, or print what one does
    Functions(functions::Arguments),
    /// Serve a lake to Python, BI tools and JDBC over Arrow Flight SQL
    Serve(Box<serve::Arguments>),
    /// Run parts of the queries of a server with --workers
    Worker(worker::Arguments),
    /// Say who may log in to a server
    User(user::Arguments),
    /// Check who may see what, before a server or a user finds out
    Policy(policy::Arguments),
    /// Find the columns that seem to hold personal data, for a policy
    Scan(scan::Arguments),
    /// Check that the records of who asked what are whole
    Audit(audit::Arguments),
    /// Write a sample lake
    Gen(r#gen::Arguments),
    /// See it all: a sample lake, a forecast, a case list and a report
    Demo(demo::Arguments),
}

impl Command {
    /// What is logged when nobody says: a server tells what it does, a tool only what went wrong.
    pub(crate) fn default_log(&self) -> Option<&'static str> {
        matches!(self, Self::Serve(_) | Self::Worker(_)).then_some("info")
    }

    /// Does it.
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        match self {
            Self::Sql(arguments) => arguments.run(runtime),
            Self::Query(arguments) => arguments.run(runtime),
            Self::Job(arguments) => arguments.run(runtime),
            Self::Optimize(arguments) => arguments.run(runtime),
            Self::Rollup(arguments) => arguments.run(runtime),
            Self::Functions(arguments) => arguments.run(),
            Self::Serve(arguments) => arguments.run(runtime),
            Self::Worker(arguments) => arguments.run(runtime),
            Self::User(arguments) => arguments.run(),
            Self::Policy(arguments) => arguments.run(runtime),
            Self::Scan(arguments) => arguments.run(runtime),
            Self::Audit(arguments) => arguments.run(),
            Self::Gen(arguments) => arguments.run(runtime),
            Self::Demo(arguments) => arguments.run(runtime),
        }
    }
}
