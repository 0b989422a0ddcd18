//! The manifest: a job's records in one file, for people and other programs.
//!
//! `<table>/_jobs/<job>/manifest.json` is made from the log when a run ends; the log is what counts.

use object_store::PutPayload;
use serde::Serialize;

use crate::error::{EngineError, Result};
use crate::job::log::JobLog;
use crate::job::record::{DoneRecord, FailedRecord, Outcome, Plan};
use crate::job::state::State;

const FILE: &str = "manifest.json";

#[derive(Serialize)]
struct Manifest<'a> {
    outcome: Option<Outcome>,
    plan: Option<&'a Plan>,
    done: Vec<&'a DoneRecord>,
    failed: Vec<&'a FailedRecord>,
}

/// Writes the manifest of `state`.
///
/// # Errors
/// When the store cannot be written.
pub(crate) async fn write(log: &JobLog, state: &State) -> Result<()> {
    let manifest = Manifest {
        outcome: state.lease.as_ref().and_then(|lease| lease.outcome),
        plan: state.plan.as_ref(),
        done: state.done.values().collect(),
        failed: state.failed.values().collect(),
    };
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| EngineError::Defect { reason: error.to_string() })?;
    log.store().overwrite(&log.file(FILE), PutPayload::from(text)).await
}
