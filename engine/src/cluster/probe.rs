//! Asks one address whether it is a worker that may be used.

use std::time::Duration;

use datafusion::common::DataFusionError;
use datafusion_distributed::GetWorkerInfoRequest;
use tonic::{Code, Status};

use crate::cluster::addresses::Address;
use crate::cluster::channels::Channels;
use crate::cluster::fingerprint::{Fingerprint, Introduction};
use crate::cluster::members::Member;
use crate::error::innermost;

/// The worker at `address`, or why it is not used: one sentence that names it.
pub(super) async fn probe(
    channels: &Channels,
    own: &Fingerprint,
    address: &Address,
    timeout: Duration,
) -> Result<Member, String> {
    let shown = &address.shown;
    let mut worker = channels.worker(&address.url).map_err(|error| {
        format!("the worker {shown} cannot be asked ({}): check the cluster's TLS files", innermost(&error))
    })?;
    let asked = worker.get_worker_info(GetWorkerInfoRequest {});
    let answer = tokio::time::timeout(timeout, asked)
        .await
        .map_err(|_elapsed| {
            format!("the worker {shown} has not answered within {} s", timeout.as_secs_f32())
        })?
        .map_err(|error| unusable(shown, &error))?;
    let introduction: Introduction = serde_json::from_str(&answer.version)
        .map_err(|_error| no_worker(shown, "it says nothing of itself"))?;
    match own.difference(&introduction.fingerprint) {
        None => {
            Ok(Member { url: address.url.clone(), shown: shown.clone(), instance: introduction.instance })
        }
        Some(difference) => Err(format!("the worker {shown} is refused: {difference}")),
    }
}

fn unusable(shown: &str, error: &DataFusionError) -> String {
    let Some(status) = status_of(error) else { return no_worker(shown, &innermost(error)) };
    match status.code() {
        Code::Unauthenticated => {
            format!("the worker {shown} refuses this node: {}", status.message())
        }
        Code::Unavailable if status.metadata().contains_key(DRAINING) => {
            format!("the worker {shown} is stopping")
        }
        // No worker has said this: it comes from the connection.
        _ if std::error::Error::source(status).is_some() => format!(
            "the worker {shown} cannot be reached ({}): is it a worker, is it started, and do both sides have \
             certificates of one authority, or neither?",
            innermost(status)
        ),
        _ => no_worker(shown, &said(status)),
    }
}

/// Marks the answer of a worker that takes no more tasks.
pub(super) const DRAINING: &str = "tithe-draining";

fn said(status: &Status) -> String {
    match status.message() {
        "" => status.code().to_string(),
        message => message.to_owned(),
    }
}

fn no_worker(shown: &str, reason: &str) -> String {
    format!("{shown} answers, but not as a worker of Tithe ({reason}): check the address")
}

fn status_of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Status> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(status) = current.downcast_ref::<Status>() {
            return Some(status);
        }
        next = current.source();
    }
    None
}
