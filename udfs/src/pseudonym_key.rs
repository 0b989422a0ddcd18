//! The secret that pseudonyms are made with.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Fewer bytes can be found by trying.
const SHORTEST: usize = 32;

/// More is not a key.
const LONGEST: u64 = 4096;

/// Bytes of a pseudonym: two values share one with a chance of 2^-64 among four billion values.
const LENGTH: usize = 16;

/// A key, and the name that its pseudonyms carry.
pub struct PseudonymKey {
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PseudonymKeyError {
    /// The file cannot be read.
    #[error("the key for pseudonyms in {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds too little, or far too much.
    #[error(
        "the key for pseudonyms in {} has {found} bytes, and 32 to 4096 are taken: make one with `head -c 32 /dev/urandom > FILE`",
        path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: usize,
    },
}

impl PseudonymKey {
    /// The bytes of a file as a key.
    ///
    /// # Errors
    /// When the file cannot be read, or does not have 32 to 4096 bytes.
    pub fn read(path: &Path) -> Result<Self, PseudonymKeyError> {
        let unreadable = |source| PseudonymKeyError::Unreadable { path: path.to_owned(), source };
        let mut secret = Zeroizing::new(Vec::new());
        File::open(path)
            .map_err(unreadable)?
            .take(LONGEST + 1)
            .read_to_end(&mut secret)
            .map_err(unreadable)?;
        let found = secret.len();
        if found < SHORTEST || u64::try_from(found).is_ok_and(|found| found > LONGEST) {
            return Err(PseudonymKeyError::Length { path: path.to_owned(), found });
        }
        let mut key = Self { id: String::new(), secret };
        // Domains come with their length before them; no text has this one.
        key.id = hex(key.mac(&[&u64::MAX.to_be_bytes()]).get(..4).unwrap_or_default());
        Ok(key)
    }

    /// Tells a key from others, and says nothing about it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pseudonym of `value` in `domain`: the key's name and 128 bits of HMAC-SHA-256.
    pub(crate) fn pseudonym(&self, domain: &str, value: &str) -> String {
        let length = u64::try_from(domain.len()).unwrap_or(u64::MAX);
        let mac = self.mac(&[&length.to_be_bytes(), domain.as_bytes(), value.as_bytes()]);
        format!("{}-{}", self.id, hex(mac.get(..LENGTH).unwrap_or_default()))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes a key of any length; the type says that others may not.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return [0; 32] };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PseudonymKey").field("id", &self.id).finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
