//! The two ways to be known: everyone on this machine is `local`, or a users file says who is who.

use std::net::IpAddr;
use std::sync::Arc;

use tithe_engine::Principal;
use tonic::Status;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tracing::warn;

use super::Users;
use super::credentials::Credentials;
use super::throttle::Throttle;
use super::tokens::Tokens;
use crate::connection::Peer;

/// Tells who calls.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// No users are configured: whoever reaches the port is `local`.
    Open,
    /// Users log in with name and password, and then show a token.
    Users(Box<Known>),
}

/// The users of one server and their logins.
#[derive(Debug)]
pub(crate) struct Known {
    users: Arc<Users>,
    tokens: Tokens,
    throttle: Arc<Throttle>,
}

impl Authenticator {
    /// With `users`, or open without.
    pub(crate) fn new(users: Option<Users>) -> Self {
        match users {
            None => Self::Open,
            Some(users) => Self::Users(Box::new(Known {
                users: Arc::new(users),
                tokens: Tokens::default(),
                throttle: Arc::default(),
            })),
        }
    }

    /// Who sent a request with these headers.
    pub(crate) async fn principal(
        &self,
        headers: &MetadataMap,
        peer: Option<Peer>,
    ) -> Result<Principal, Status> {
        let Self::Users(known) = self else { return Ok(Principal::local()) };
        match Credentials::read(headers)? {
            Credentials::Bearer(token) => known.holder_of(&token),
            Credentials::Basic { name, password } => known.verify(name, password, address(peer)).await,
            Credentials::None => Err(Status::unauthenticated(
                "this server wants to know who you are: connect with a user name and password",
            )),
        }
    }

    /// Answers a login: the `authorization` header for the client to send from now on, when it sent name and password.
    ///
    /// Drivers expect such a header whenever they sent a password, also from a server that asks for none.
    pub(crate) async fn log_in(
        &self,
        headers: &MetadataMap,
        peer: Option<Peer>,
    ) -> Result<Option<AsciiMetadataValue>, Status> {
        let known = match self {
            Self::Open => {
                let basic = matches!(Credentials::read(headers), Ok(Credentials::Basic { .. }));
                return Ok(basic.then(|| AsciiMetadataValue::from_static("Bearer local")));
            }
            Self::Users(known) => known,
        };
        let Credentials::Basic { name, password } = Credentials::read(headers)? else {
            return self.principal(headers, peer).await.map(|_known| None);
        };
        let principal = known.verify(name, password, address(peer)).await?;
        let header = format!("Bearer {}", known.tokens.issue(&principal.name));
        let mut header = AsciiMetadataValue::try_from(header)
            .map_err(|_impossible| Status::internal("the new token does not fit into a header"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

impl Known {
    fn holder_of(&self, token: &str) -> Result<Principal, Status> {
        match self.tokens.holder(token) {
            Some(name) => Ok(Principal { name }),
            None => Err(Status::unauthenticated("the login is not known here or has expired: connect again")),
        }
    }

    async fn verify(
        &self,
        name: String,
        password: String,
        peer: Option<IpAddr>,
    ) -> Result<Principal, Status> {
        let users = Arc::clone(&self.users);
        let claimed = name.clone();
        match self.throttle.attempt(peer, move || users.verify(&claimed, &password)).await {
            Some(true) => Ok(Principal { name }),
            Some(false) => {
                warn!(user = ?name, peer = ?peer, "login refused");
                Err(Status::unauthenticated("the user name or the password is wrong"))
            }
            None => {
                warn!(user = ?name, peer = ?peer, "login refused: too many at once from this address");
                Err(Status::resource_exhausted(
                    "too many logins from this address are waiting to be checked: try again later",
                ))
            }
        }
    }
}

fn address(peer: Option<Peer>) -> Option<IpAddr> {
    peer.and_then(|peer| peer.address).map(|address| address.ip())
}
