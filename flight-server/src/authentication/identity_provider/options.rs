//! Which identity provider, and what is taken from its tokens.

use std::path::PathBuf;

/// An OpenID Connect provider whose tokens let users in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProviderOptions {
    /// The provider's address, as its tokens name it in `iss`: https, or http on loopback. Its keys are found from
    /// `/.well-known/openid-configuration` under it.
    pub issuer: String,
    /// What tokens for this server name in `aud`.
    pub audience: String,
    /// The claim that holds the user's name.
    pub user_claim: String,
    /// The claim that lists the groups of the user, for the rules of the policy; `None` takes none from the provider.
    pub groups_claim: Option<String>,
    /// Certificates, as PEM, of authorities that sign the provider's certificate, beside those of the system.
    pub authority: Option<PathBuf>,
}

/// An identity provider that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityProviderError {
    /// Keys that travel in the clear can be replaced on the way.
    #[error(
        "{url} is no address for an identity provider: write https://… (http only for one on this machine)"
    )]
    Address {
        /// As written.
        url: String,
    },
    /// The file with authorities.
    #[error("cannot use the authorities {} for the identity provider: {reason}", path.display())]
    Authority {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It does not answer.
    #[error("the identity provider does not answer at {url}: {reason}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        reason: String,
    },
    /// It answers, but not as one does.
    #[error("{url} does not answer as an identity provider: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        reason: String,
    },
}
