//! Requests as parts of a trace, which the client may have begun.

use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tracing::Instrument;
use tracing::instrument::Instrumented;

/// A service whose requests are spans, below the client's (`traceparent`).
#[derive(Debug, Clone)]
pub(crate) struct Traced<S>(pub(crate) S);

impl<S: NamedService> NamedService for Traced<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<http::Request<Body>>> Service<http::Request<Body>> for Traced<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let span = tracing::trace_span!(target: tithe_engine::TRACE_TARGET, "request", rpc.method = request.uri().path());
        tithe_engine::follow_trace(&span, request.headers());
        let answer = span.in_scope(|| self.0.call(request));
        answer.instrument(span)
    }
}
