//! The worker's side: takes tasks from whoever has the cluster's identity and is made of the same parts.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use datafusion_distributed::{Worker, WorkerQueryContext};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::server::NamedService;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::cluster::channels::Channels;
use crate::cluster::fingerprint::{FINGERPRINT_HEADER, Introduction};
use crate::cluster::identity::{ClusterIdentity, SECRET_HEADER, Secret};
use crate::cluster::probe::DRAINING;
use crate::cluster::sessions::worker_state;
use crate::cluster::threads::Threads;
use crate::engine::Engine;
use crate::error::{EngineError, Result};

/// Asks who the worker is.
const INTRODUCTION: &str = "/GetWorkerInfo";
/// Begins a task.
const TASK: &str = "/CoordinatorChannel";

/// The gRPC service of a worker: every request is checked for the cluster's identity before it is looked at.
#[derive(Clone, Debug)]
pub struct WorkerService {
    tasks: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    secret: Option<Secret>,
    fingerprint: HeaderValue,
    draining: AtomicBool,
    /// Tasks that have begun and not ended.
    running: watch::Sender<usize>,
    /// Tasks may compute for long without a pause; on the threads that serve, the worker would look dead.
    threads: Threads,
}

impl WorkerService {
    /// A worker on the lake and within the limits of `engine`, that knows others by `identity` and takes them for lost
    /// when they are silent for `timeout`.
    ///
    /// # Errors
    /// When the secret or the TLS files cannot be used, or the threads cannot be started.
    pub fn new(engine: &Arc<Engine>, identity: &ClusterIdentity, timeout: Duration) -> Result<Self> {
        let fingerprint = engine.fingerprint()?;
        let introduction =
            Introduction { fingerprint: fingerprint.clone(), instance: uuid::Uuid::new_v4().to_string() };
        let defect = |reason: String| EngineError::Defect { reason };
        let said = serde_json::to_string(&introduction).map_err(|error| defect(error.to_string()))?;
        let channels = Arc::new(Channels::new(identity, &fingerprint, timeout)?);
        let owner = Arc::clone(engine);
        let worker = Worker::from_session_builder(move |task: WorkerQueryContext| {
            let state = worker_state(&owner, &channels, task);
            async move { Ok(state?) }
        })
        .with_runtime_env(Arc::clone(engine.runtime()))
        .with_version(said);
        let threads = Threads::start("tithe-task", None).map_err(|error| EngineError::Configuration {
            origin: "the worker".to_owned(),
            reason: format!("its threads cannot be started: {error}"),
        })?;
        let gate = Gate {
            secret: identity.secret()?,
            fingerprint: HeaderValue::from_str(&fingerprint.digest())
                .map_err(|error| defect(error.to_string()))?,
            draining: AtomicBool::new(false),
            running: watch::Sender::new(0),
            threads,
        };
        Ok(Self { tasks: BoxCloneSyncService::new(worker.into_worker_server()), gate: Arc::new(gate) })
    }

    /// Takes no more tasks, and waits until those that have begun are done.
    pub async fn drain(&self) {
        self.gate.draining.store(true, Ordering::SeqCst);
        let mut running = self.gate.running.subscribe();
        running.wait_for(|running| *running == 0).await.ok();
    }

    /// Tasks that have begun and not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.gate.running.borrow()
    }
}

impl Gate {
    fn refusal(&self, request: &Request<Body>) -> Option<Status> {
        let headers = request.headers();
        if let Some(secret) = &self.secret
            && !secret.is(headers.get(SECRET_HEADER))
        {
            return Some(Status::unauthenticated(
                "the cluster secret is missing or another; give both sides the same --cluster-secret",
            ));
        }
        let path = request.uri().path();
        if self.draining.load(Ordering::SeqCst) && (path.ends_with(INTRODUCTION) || path.ends_with(TASK)) {
            let mut status = Status::unavailable("the worker is stopping");
            status.metadata_mut().insert(DRAINING, MetadataValue::from_static("1"));
            return Some(status);
        }
        let same = headers.get(FINGERPRINT_HEADER) == Some(&self.fingerprint);
        (!path.ends_with(INTRODUCTION) && !same).then(|| {
            Status::failed_precondition(
                "the worker is made of other parts than the node that asks: the version, the functions or the lake \
                 differ",
            )
        })
    }
}

impl NamedService for WorkerService {
    const NAME: &'static str = "worker.WorkerService";
}

impl Service<Request<Body>> for WorkerService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Counted before it is looked whether the worker is stopping.
        let begins = request.uri().path().ends_with(TASK);
        let running = begins.then(|| Running::new(&self.gate));
        if let Some(status) = self.gate.refusal(&request) {
            return std::future::ready(Ok(status.into_http())).boxed();
        }
        let task = self.gate.threads.handle().spawn(self.tasks.clone().oneshot(request));
        let abort = AbortOnDrop(task.abort_handle());
        async move {
            let answer = task.await;
            drop(abort);
            let answer = match answer {
                Ok(Ok(answer)) => answer,
                Ok(Err(impossible)) => match impossible {},
                Err(_panic) => {
                    Status::internal("the task ended without an answer: see the worker's log").into_http()
                }
            };
            Ok(answer.map(|body| Body::new(Counted { body, _running: running })))
        }
        .boxed()
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A task that has begun; ends when it is dropped.
struct Running(Arc<Gate>);

impl Running {
    fn new(gate: &Arc<Gate>) -> Self {
        gate.running.send_modify(|running| *running += 1);
        Self(Arc::clone(gate))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

/// An answer that keeps its task counted until the last byte is sent or nobody wants it any more.
struct Counted {
    body: Body,
    _running: Option<Running>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
