//! Where work stands in a trace of OpenTelemetry: in headers it goes from node to node.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::{Extractor, Injector};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of the spans that are for traces. They have the level of the most verbose log, so as not to be in its lines.
pub const TRACE_TARGET: &str = "tithe::trace";

/// Makes `span` a part of what `headers` say that it belongs to, if they do.
pub fn follow_trace(span: &Span, headers: &HeaderMap) {
    follow(span, place_in_trace(headers));
}

/// What `headers` say that a request belongs to.
pub(super) fn place_in_trace(headers: &HeaderMap) -> Context {
    get_text_map_propagator(|propagator| propagator.extract(&Received(headers)))
}

/// Makes `span` a part of `place`.
pub(super) fn follow(span: &Span, place: Context) {
    // It fails where nobody traces.
    span.set_parent(place).ok();
}

/// Makes `span` a part of what this thread does, though what is logged in it is not.
pub(super) fn follow_here(span: &Span) {
    follow(span, Span::current().context());
}

/// `headers` that say that whoever gets them does a part of what this thread does.
pub(crate) fn with_trace(mut headers: HeaderMap) -> HeaderMap {
    let place = Span::current().context();
    get_text_map_propagator(|propagator| propagator.inject_context(&place, &mut Sent(&mut headers)));
    headers
}

struct Received<'a>(&'a HeaderMap);

impl Extractor for Received<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Sent<'a>(&'a mut HeaderMap);

impl Injector for Sent<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(key.as_bytes()), HeaderValue::try_from(value))
        {
            self.0.insert(name, value);
        }
    }
}
