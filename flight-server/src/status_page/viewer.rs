//! Who looks.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, header};
use tithe_engine::{EffectivePolicy, Principal, Session, SessionOptions};
use tonic::Code;
use tonic::metadata::MetadataMap;

use super::StatusPage;
use super::answer::Refusal;
use crate::connection::Peer;

/// Whoever looks, as the engine knows them.
pub(super) struct Viewer {
    pub(super) principal: Principal,
    pub(super) session: Session,
    pub(super) policy: EffectivePolicy,
}

impl StatusPage {
    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// When nobody is known by them, or a page of another site may have sent it.
    pub(super) async fn viewer(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<Viewer, Refusal> {
        // Where everybody here is let in, a page from elsewhere must not be here by giving this machine its name.
        if self.authenticator.is_open() && !names_this_machine(headers) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "this server knows no users and answers to the names localhost, 127.0.0.1 and [::1] alone",
            ));
        }
        let metadata = MetadataMap::from_headers(headers.clone());
        let peer = Peer { connection: 0, address: Some(peer) };
        let principal = self.authenticator.principal(&metadata, Some(peer)).await.map_err(|status| {
            let code = match status.code() {
                Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            let challenge = match self.authenticator.takes_passwords() {
                true => "Basic realm=\"tithe\", charset=\"UTF-8\"",
                false => "Bearer realm=\"tithe\"",
            };
            Refusal {
                status: code,
                reason: status.message().to_owned(),
                challenge: Some(challenge).filter(|_| code == StatusCode::UNAUTHORIZED),
            }
        })?;
        let options = SessionOptions { read_only: true, ..SessionOptions::default() };
        let session = self.engine.session_with(principal.clone(), options)?;
        let policy = session.effective_policy();
        Ok(Viewer { principal, session, policy })
    }
}

/// The `Host` of a request without its port.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_this_machine_are_taken() {
        let check = |host: &str, expected: bool| {
            let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            assert_eq!(names_this_machine(&headers), expected, "{host}");
        };
        for host in [
            "localhost",
            "localhost:32011",
            "127.0.0.1:1",
            "127.0.0.1",
            "[::1]:32011",
            "[::1]",
            "LOCALHOST:9",
        ] {
            check(host, true);
        }
        for host in [
            "",
            "evil.example",
            "evil.example:32011",
            "localhost.evil.example",
            "10.0.0.1:1",
            "127.0.0.1.nip.io",
        ] {
            check(host, false);
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
