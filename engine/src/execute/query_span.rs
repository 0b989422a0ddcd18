//! Puts the id of a query into every line of the log that comes from its work, on whichever thread and worker.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use futures::Stream;
use futures::future::BoxFuture;
use http::HeaderMap;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::trace_place::{TRACE_TARGET, follow, follow_here, place_in_trace};

/// What the lines of the query `id` stand in. In a trace it is a part of what this thread does.
pub(crate) fn query_span(id: Uuid) -> Span {
    let log = lines(id);
    let traced = tracing::trace_span!(target: TRACE_TARGET, parent: &log, "query", query_id = %id);
    follow_here(&traced);
    traced_or(traced, log)
}

/// What the lines of a part of the query stand in, on a worker.
#[derive(Debug, Clone)]
pub(crate) struct TaskSpan {
    log: Span,
    id: Uuid,
    place: opentelemetry::Context,
}

impl TaskSpan {
    /// Of the part of the query `id` that came with `headers`.
    pub(crate) fn new(id: Uuid, headers: &HeaderMap) -> Self {
        Self { log: lines(id), id, place: place_in_trace(headers) }
    }

    /// While a partition is computed: the part itself is kept for a while after its end.
    pub(super) fn of_partition(&self, partition: usize) -> Span {
        let id = self.id;
        let traced =
            tracing::trace_span!(target: TRACE_TARGET, parent: &self.log, "task", query_id = %id, partition);
        follow(&traced, self.place.clone());
        traced_or(traced, self.log.clone())
    }
}

fn lines(id: Uuid) -> Span {
    // The level is that of the rarest log: lines of every level have to be inside.
    tracing::error_span!(parent: None, "query", query_id = %id)
}

/// `traced`, which is within `log`; or `log` alone, where nobody traces.
fn traced_or(traced: Span, log: Span) -> Span {
    if traced.is_disabled() { log } else { traced }
}

/// Keeps what DataFusion does on other threads inside the query that it is done for; once a process.
pub(crate) fn follow_spawned_work() {
    // Whoever embeds the engine may have set their own before.
    set_join_set_tracer(&Spawned).ok();
}

struct Spawned;

type Done = Box<dyn Any + Send>;

impl JoinSetTracer for Spawned {
    fn trace_future(&self, work: BoxFuture<'static, Done>) -> BoxFuture<'static, Done> {
        Box::pin(work.in_current_span())
    }

    fn trace_block(&self, work: Box<dyn FnOnce() -> Done + Send>) -> Box<dyn FnOnce() -> Done + Send> {
        let span = Span::current();
        Box::new(move || span.in_scope(work))
    }
}

/// A stream that is polled inside a span.
#[derive(Debug)]
pub(super) struct Inside<S> {
    pub(super) rows: S,
    pub(super) span: Span,
}

impl<S: Stream + Unpin> Stream for Inside<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        let _inside = this.span.enter();
        Pin::new(&mut this.rows).poll_next(context)
    }
}
