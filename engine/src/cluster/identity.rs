//! What proves that a coordinator and its workers belong together: a shared secret, and certificates of one authority.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::error::{EngineError, Result};

/// Fewer bytes can be found by trying.
const SHORTEST: usize = 32;
/// More is not a secret.
const LONGEST: usize = 4096;
/// Keeps what is sent apart from any other use of the same file.
const PURPOSE: &[u8] = b"tithe cluster secret 1\n";

/// The header that carries the secret's digest.
pub(super) const SECRET_HEADER: &str = "tithe-cluster-secret";

/// Certificates with which the nodes of a cluster know each other, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTls {
    /// The authority that signs the certificates of all nodes.
    pub authority: PathBuf,
    /// This node's certificate, for serving and for asking.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// What a node of a cluster knows others by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterIdentity {
    /// A file of 32 to 4096 bytes, the same on every node.
    pub secret_file: Option<PathBuf>,
    /// Certificates; without them, nothing is encrypted.
    pub tls: Option<ClusterTls>,
}

/// A secret that is compared in constant time and never shown.
#[derive(Clone)]
pub(super) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    fn read(path: &Path) -> Result<Self> {
        let refuse = |reason: String| EngineError::Configuration {
            origin: format!("the cluster secret in {}", path.display()),
            reason,
        };
        let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
        if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
            return Err(refuse(format!(
                "{} bytes, and 32 to 4096 are taken: make one with `head -c 32 /dev/urandom > FILE`, the same for \
                 every node",
                bytes.len()
            )));
        }
        let digest = Sha256::new().chain_update(PURPOSE).chain_update(bytes).finalize();
        Ok(Self(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// As it is sent; marked so that no log shows it.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    pub(super) fn is(&self, sent: Option<&HeaderValue>) -> bool {
        sent.is_some_and(|sent| self.0.as_bytes().ct_eq(sent.as_bytes()).into())
    }
}

impl ClusterIdentity {
    pub(super) fn secret(&self) -> Result<Option<Secret>> {
        self.secret_file.as_deref().map(Secret::read).transpose()
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// How this node asks others.
    pub(super) fn client_tls(&self) -> Result<Option<ClientTlsConfig>> {
        let Some(files) = &self.tls else { return Ok(None) };
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|error| EngineError::Configuration {
                origin: format!("the cluster's TLS file {}", path.display()),
                reason: error.to_string(),
            })
        };
        let config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read(&files.authority)?))
            .identity(Identity::from_pem(read(&files.certificate)?, read(&files.key)?));
        Ok(Some(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(bytes: &[u8]) -> Result<Secret> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, bytes).unwrap();
        Secret::read(&path)
    }

    #[test]
    fn only_the_same_secret_is_the_secret() {
        let (a, b) = (secret(&[1; 32]).unwrap(), secret(&[2; 32]).unwrap());
        assert!(a.is(a.header().as_ref()));
        assert!(!a.is(b.header().as_ref()));
        assert!(!a.is(None));
        assert!(!a.is(Some(&HeaderValue::from_static(""))));
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_shown() {
        assert!(secret(&[7; 31]).unwrap_err().to_string().contains("31 bytes, and 32 to 4096 are taken"));
        let secret = secret(&[7; 32]).unwrap();
        let shown = format!("{secret:?} {:?}", secret.header());
        assert!(!shown.contains(&secret.0), "{shown}");
    }
}
