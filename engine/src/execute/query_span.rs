//! Puts the id of a query into every line of the log that comes from its work, on whichever thread and worker.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use futures::Stream;
use futures::future::BoxFuture;
use tracing::{Instrument, Span};
use uuid::Uuid;

/// What the lines of the query `id` stand in.
pub(crate) fn query_span(id: Uuid) -> Span {
    // The level is that of the rarest log: lines of every level have to be inside.
    tracing::error_span!(parent: None, "query", query_id = %id)
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
