//! Whether a client ended what it sent, or went away in the middle: tonic shows both as the end of the messages.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::{Extensions, Status};

/// Known once the last message has been read.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestEnd(Arc<AtomicBool>);

impl RequestEnd {
    /// That of the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// That the client said that it has sent everything.
    pub(crate) fn check(&self) -> Result<(), Status> {
        match self.0.load(Ordering::Acquire) {
            true => Ok(()),
            false => Err(Status::cancelled("the client went away before the end of what it sent")),
        }
    }
}

/// A service whose requests carry their [`RequestEnd`].
#[derive(Debug, Clone)]
pub(crate) struct WithRequestEnd<S>(pub(crate) S);

impl<S: NamedService> NamedService for WithRequestEnd<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<http::Request<Body>>> Service<http::Request<Body>> for WithRequestEnd<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> S::Future {
        let end = RequestEnd::default();
        request.extensions_mut().insert(end.clone());
        self.0.call(request.map(|body| Body::new(Watched { body, end })))
    }
}

struct Watched {
    body: Body,
    end: RequestEnd,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.end.0.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
