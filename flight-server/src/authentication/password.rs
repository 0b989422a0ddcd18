//! Passwords as Argon2id hashes.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2};

/// A password that cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was given.
    #[error("the password is empty: give one with at least one character")]
    Empty,
    /// Argon2 refuses it.
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// The Argon2id hash of `password` with a fresh salt, as a PHC string for the field `password_hash` of a users file.
///
/// # Errors
/// When the password is empty or far too long.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

/// True when `text` is an Argon2 hash that [`matches`] can check.
pub(crate) fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| {
        hash.hash.is_some() && hash.salt.is_some() && Algorithm::try_from(hash.algorithm).is_ok()
    })
}

/// True when `hash` was made from `password`; takes the same time either way.
pub(crate) fn matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_matches_its_password_alone() {
        let hash = hash_password("通行碼 ｐａｓｓ").unwrap();
        assert!(hash.starts_with("$argon2id$") && is_hash(&hash), "{hash}");
        assert!(matches(&hash, "通行碼 ｐａｓｓ"));
        assert!(!matches(&hash, "通行碼 pass"));
        assert!(!matches("secret", "secret"));
    }

    #[test]
    fn salts_differ_and_nothing_else_is_a_hash() {
        assert_ne!(hash_password("a").unwrap(), hash_password("a").unwrap());
        assert!(hash_password("").is_err());
        for text in ["", "secret", "$2y$05$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1"] {
            assert!(!is_hash(text), "{text}");
        }
    }
}
