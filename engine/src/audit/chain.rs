//! How lines hold together: each names the digest of the one before.

use sha2::{Digest, Sha256};

/// What the first line of all names as the one before it.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 of a line without its end, as lower-case hexadecimal digits.
pub(super) fn digest(line: &[u8]) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}
