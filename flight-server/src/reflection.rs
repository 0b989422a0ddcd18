//! gRPC reflection: clients that know nothing of Arrow Flight ask what is spoken here.
//!
//! It tells the public protocol and nothing of this server, so that nobody logs in to ask for it.

use std::task::{Context, Poll};

use futures::StreamExt;
use http_body_util::{BodyStream, StreamBody};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::server::Router;
use tonic_reflection::server::{Builder, Error};

/// Flight and Flight SQL, as `proto/` has them.
const PROTOCOL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/protocol.bin"));

/// `router`, which also tells what it speaks, in both versions that clients ask in, until `stop` is cancelled.
///
/// # Errors
/// When the protocol is not described as it should be.
pub(crate) fn reflected(router: Router, stop: &CancellationToken) -> Result<Router, Error> {
    let described = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(PROTOCOL)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let newer = AskedUntil { service: described().build_v1()?, stop: stop.clone() };
    let older = AskedUntil { service: described().build_v1alpha()?, stop: stop.clone() };
    Ok(router.add_service(newer).add_service(older))
}

/// A service that takes what clients send for ended once `stop` is cancelled: one that asks no more and does not hang up
/// would keep the server from ending.
#[derive(Debug, Clone)]
struct AskedUntil<S> {
    service: S,
    stop: CancellationToken,
}

impl<S: NamedService> NamedService for AskedUntil<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<http::Request<Body>>> Service<http::Request<Body>> for AskedUntil<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> S::Future {
        let stopped = self.stop.clone().cancelled_owned();
        self.service
            .call(request.map(|body| Body::new(StreamBody::new(BodyStream::new(body).take_until(stopped)))))
    }
}
