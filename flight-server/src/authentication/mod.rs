//! Who calls. Never decides what they may see.

mod authenticator;
mod credentials;
mod identity_provider;
mod password;
mod throttle;
mod tokens;
mod users;

pub(crate) use authenticator::Authenticator;
pub(crate) use identity_provider::IdentityProvider;
pub use identity_provider::{IdentityProviderError, IdentityProviderOptions};
pub use password::{PasswordError, hash_password};
pub(crate) use users::Users;
pub use users::UsersError;
