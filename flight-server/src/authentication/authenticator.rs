//! How to be known: everyone on this machine is `local`; or a users file, an identity provider or both say who is who.

use std::net::IpAddr;
use std::sync::Arc;

use tithe_engine::Principal;
use tonic::Status;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tracing::warn;

use super::Users;
use super::credentials::Credentials;
use super::identity_provider::{IdentityProvider, is_signed};
use super::throttle::Throttle;
use super::tokens::Tokens;
use crate::connection::Peer;

/// Tells who calls.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// No users are configured: whoever reaches the port is `local`.
    Open,
    /// Users log in with name and password and then show the token that they get, or show one of their identity
    /// provider.
    Users(Box<Known>),
}

/// The users of one server and their logins.
#[derive(Debug)]
pub(crate) struct Known {
    users: Option<Arc<Users>>,
    identity_provider: Option<IdentityProvider>,
    tokens: Tokens,
    throttle: Arc<Throttle>,
}

impl Authenticator {
    /// With `users`, an identity provider or both; open without.
    pub(crate) fn new(users: Option<Users>, identity_provider: Option<IdentityProvider>) -> Self {
        if users.is_none() && identity_provider.is_none() {
            return Self::Open;
        }
        Self::Users(Box::new(Known {
            users: users.map(Arc::new),
            identity_provider,
            tokens: Tokens::default(),
            throttle: Arc::default(),
        }))
    }

    /// Whether everyone is let in.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether a name and a password let anybody in.
    pub(crate) fn takes_passwords(&self) -> bool {
        matches!(self, Self::Users(known) if known.users.is_some())
    }

    /// Who sent a request with these headers.
    pub(crate) async fn principal(
        &self,
        headers: &MetadataMap,
        peer: Option<Peer>,
    ) -> Result<Principal, Status> {
        let Self::Users(known) = self else { return Ok(Principal::local()) };
        match Credentials::read(headers)? {
            Credentials::Bearer(token) => known.holder_of(&token).await,
            Credentials::Basic { name, password } => known.verify(name, password, address(peer)).await,
            Credentials::None => Err(known.nobody()),
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
    async fn holder_of(&self, token: &str) -> Result<Principal, Status> {
        if let Some(provider) = self.identity_provider.as_ref().filter(|_| is_signed(token)) {
            let principal = provider.principal(token).await?;
            // The same name from two sources would be two people with one person's rights.
            if self.users.as_ref().is_some_and(|users| users.has(&principal.name)) {
                warn!(user = ?principal.name, "token refused: the users file has this name");
                return Err(Status::unauthenticated(
                    "the token is refused: its user has a password on this server; log in with that",
                ));
            }
            return Ok(principal);
        }
        match self.tokens.holder(token) {
            Some(name) => Ok(Principal::from(name.as_str())),
            None => Err(Status::unauthenticated("the login is not known here or has expired: connect again")),
        }
    }

    async fn verify(
        &self,
        name: String,
        password: String,
        peer: Option<IpAddr>,
    ) -> Result<Principal, Status> {
        let Some(users) = self.users.as_ref().map(Arc::clone) else { return Err(self.nobody()) };
        let claimed = name.clone();
        match self.throttle.attempt(peer, move || users.verify(&claimed, &password)).await {
            Some(true) => Ok(Principal::from(name.as_str())),
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

    /// What a client reads that did not say who it is in a way that is taken here.
    fn nobody(&self) -> Status {
        let token = self.identity_provider.as_ref().map(|provider| {
            format!("with a token of {} in the header authorization (Bearer …)", provider.issuer())
        });
        let ways = match (&self.users, token) {
            (Some(_), Some(token)) => format!("with a user name and password, or {token}"),
            (None, Some(token)) => token,
            (_, None) => "with a user name and password".to_owned(),
        };
        Status::unauthenticated(format!("this server wants to know who you are: connect {ways}"))
    }
}

fn address(peer: Option<Peer>) -> Option<IpAddr> {
    peer.and_then(|peer| peer.address).map(|address| address.ip())
}
