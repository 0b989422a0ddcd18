//! Who calls. Never decides what they may see.

mod authenticator;
mod credentials;
mod password;
mod throttle;
mod tokens;
mod users;

pub(crate) use authenticator::Authenticator;
pub use password::{PasswordError, hash_password};
pub(crate) use users::Users;
pub use users::UsersError;
