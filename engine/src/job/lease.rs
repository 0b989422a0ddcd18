//! Which process runs a job: one at a time, until it says that it ended or has said nothing for too long.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::job::log::JobLog;
use crate::job::record::Runner;
use crate::job::state::{Lease, State};

const FILE: &str = "lease.json";

/// The last sign of life of a runner.
#[derive(Debug, Serialize, Deserialize)]
struct SignOfLife {
    token: u64,
    until: DateTime<Utc>,
}

impl Runner {
    /// This process.
    pub(crate) fn this() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let process = std::process::id();
        Self { host, process, identity: identity(process), version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Whether it is known to have ended, because it ran on this machine.
    pub(crate) fn is_gone(&self) -> bool {
        let Some((mine, theirs)) = machine().zip(self.identity.as_deref()) else { return false };
        theirs.starts_with(&mine) && identity(self.process).as_deref() != Some(theirs)
    }
}

/// The boot of this machine and the namespace of its processes' numbers.
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {} ", boot.trim(), namespace.display()))
}

/// Machine, number and beginning of a process: numbers are used again. `None` when there is none, or it has ended and
/// waits to be noticed.
fn identity(process: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything.
    let fields: Vec<&str> = status.rsplit_once(") ")?.1.split(' ').collect();
    let (state, began) = (fields.first()?, fields.get(19)?);
    (!matches!(*state, "Z" | "X")).then_some(())?;
    Some(format!("{}{process} {began}", machine()?))
}

/// Whether the runner that holds the lease may still be at work.
///
/// The clocks of machines that share a job must agree within a fraction of the lease.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn is_held(log: &JobLog, state: &State) -> Result<bool> {
    let Some(lease) = state.lease.as_ref().filter(|lease| lease.outcome.is_none()) else { return Ok(false) };
    if lease.runner.is_gone() {
        return Ok(false);
    }
    Ok(Utc::now() < until(log, lease).await?)
}

async fn until(log: &JobLog, lease: &Lease) -> Result<DateTime<Utc>> {
    let first = lease.taken + TimeDelta::milliseconds(i64::try_from(lease.milliseconds).unwrap_or(i64::MAX));
    let bytes = match log.store().objects().get(&log.file(FILE)).await {
        Ok(got) => got.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(first),
        Err(error) => return Err(error.into()),
    };
    // One that is of another runner, or not understood, is no sign of this one.
    match serde_json::from_slice::<SignOfLife>(&bytes) {
        Ok(sign) if sign.token == lease.token => Ok(sign.until.max(first)),
        _ => Ok(first),
    }
}

/// Says that the runner with `token` is alive, for another `lease`.
///
/// # Errors
/// When the store cannot be written.
pub(crate) async fn renew(log: &JobLog, token: u64, lease: Duration) -> Result<()> {
    let sign = SignOfLife { token, until: Utc::now() + lease };
    let text =
        serde_json::to_vec(&sign).map_err(|error| EngineError::Defect { reason: error.to_string() })?;
    log.store().overwrite(&log.file(FILE), PutPayload::from(text)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_this_machine_is_known_to_be_alive_or_gone() {
        let this = Runner::this();
        assert!(this.identity.is_some() && !this.is_gone());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Runner { process: child.id(), identity: identity(child.id()), ..this.clone() };
        assert!(!other.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.is_gone());
        let again =
            Runner { identity: this.identity.as_ref().map(|known| format!("{known}0")), ..this.clone() };
        assert!(again.is_gone(), "the number belongs to another process now");
        let elsewhere = Runner { identity: Some("another machine 1 1".to_owned()), ..this.clone() };
        assert!(!elsewhere.is_gone());
        assert!(!Runner { identity: None, ..this }.is_gone());
    }
}
