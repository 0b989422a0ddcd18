//! Users that an identity provider vouches for, with OpenID Connect.

mod discovery;
mod keys;
mod options;
mod signatures;
mod token;

use tithe_engine::Principal;
use tonic::Status;
use tracing::warn;

use keys::Keys;
pub use options::{IdentityProviderError, IdentityProviderOptions};
use token::{Expectation, Refusal};

/// Checks the tokens of one identity provider.
#[derive(Debug)]
pub(crate) struct IdentityProvider {
    keys: Keys,
    expectation: Expectation,
}

impl IdentityProvider {
    /// Looks the provider up. One that does not answer at all may come back: its tokens are refused until then.
    pub(crate) async fn connect(options: &IdentityProviderOptions) -> Result<Self, IdentityProviderError> {
        signatures::use_ring();
        let keys = Keys::new(options)?;
        match keys.refresh().await {
            Err(error @ IdentityProviderError::Unreachable { .. }) => {
                warn!(%error, "no token is accepted until the identity provider answers");
            }
            fetched => fetched?,
        }
        Ok(Self { keys, expectation: Expectation::new(options) })
    }

    /// The provider's address, which its tokens name.
    pub(crate) fn issuer(&self) -> &str {
        &self.expectation.issuer
    }

    /// Whom `token` names, when this provider signed it for this server and it is in force.
    pub(crate) async fn principal(&self, token: &str) -> Result<Principal, Status> {
        self.holder(token).await.map_err(|refusal| {
            warn!(%refusal, "token refused");
            Status::unauthenticated(format!("the token is refused: {refusal}"))
        })
    }

    async fn holder(&self, token: &str) -> Result<Principal, Refusal> {
        let header = token::header(token)?;
        let key = self.keys.find(&header).await.ok_or(Refusal::UnknownKey)?;
        self.expectation.holder(token, &header, &key)
    }
}

/// True when a bearer token can only be one of an identity provider: ours have no dots.
pub(crate) fn is_signed(token: &str) -> bool {
    token.contains('.')
}
