//! The certificate that a server shows and the clients' certificates that it trusts, read again when their files change.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use ring::digest::{Context, SHA256};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tracing::{debug, error, info};

use crate::connection::Connection;
use crate::server::{ServeError, TlsFiles};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are not yet encrypted.
const HANDSHAKES: usize = 1024;
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How new connections are encrypted now; those that there are go on as they began.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsFiles,
    now: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// # Errors
    /// When a file cannot be read or used.
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, ServeError> {
        let now = RwLock::new(Arc::new(configuration(files, &Contents::read(files)?)?));
        Ok(Arc::new(Self { files: files.clone(), now }))
    }

    /// Looks at the files again and again. What they hold is used when all of it can be, and else what was used before.
    pub(crate) async fn watch(&self) {
        let mut looked_at = None;
        loop {
            let files = self.files.clone();
            // A file system may take its time.
            let read = tokio::task::spawn_blocking(move || Contents::read(&files)).await;
            let found = match &read {
                Ok(Ok(contents)) => contents.digest(),
                Ok(Err(error)) => error.to_string().into_bytes(),
                Err(error) => error.to_string().into_bytes(),
            };
            // The first look is at what has just been loaded.
            if looked_at.as_ref().is_some_and(|before| *before != found)
                && let Ok(read) = read
            {
                self.take(read);
            }
            looked_at = Some(found);
            tokio::time::sleep(LOOK).await;
        }
    }

    fn take(&self, read: Result<Contents, ServeError>) {
        match read.and_then(|contents| configuration(&self.files, &contents)) {
            Ok(next) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
                info!(certificate = %self.files.certificate.display(), "new connections get the new certificate");
            }
            Err(error) => error!(%error, "the new certificate is not used, and the one before still is"),
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The connections of `incoming` as soon as they are encrypted; one that does not come about keeps nobody waiting.
pub(crate) fn encrypted(
    incoming: impl Stream<Item = std::io::Result<Connection>> + Send + Unpin + 'static,
    tls: Arc<Tls>,
) -> impl Stream<Item = std::io::Result<TlsStream<Connection>>> + Send + 'static {
    let state = (incoming, tls, JoinSet::new());
    stream::unfold(state, |(mut incoming, tls, mut handshakes)| async move {
        loop {
            tokio::select! {
                accepted = incoming.next(), if handshakes.len() < HANDSHAKES => match accepted? {
                    Ok(connection) => {
                        let accepting = tls.acceptor().accept(connection);
                        handshakes.spawn(tokio::time::timeout(HANDSHAKE_TIMEOUT, accepting));
                    }
                    Err(error) => return Some((Err(error), (incoming, tls, handshakes))),
                },
                Some(done) = handshakes.join_next() => match done {
                    Ok(Ok(Ok(stream))) => return Some((Ok(stream), (incoming, tls, handshakes))),
                    Ok(Ok(Err(error))) => debug!(%error, "a connection does not come about"),
                    Ok(Err(_elapsed)) => debug!("a client does not finish its handshake"),
                    Err(error) => error!(%error, "a handshake broke"),
                },
            }
        }
    })
}

/// What the files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authority: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, ServeError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| ServeError::TlsFile { path: path.to_path_buf(), source })
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_authority: files.client_authority.as_deref().map(read).transpose()?,
        })
    }

    fn digest(&self) -> Vec<u8> {
        let mut digest = Context::new(&SHA256);
        for part in [&self.certificate, &self.key, self.client_authority.as_ref().unwrap_or(&Vec::new())] {
            digest.update(&part.len().to_le_bytes());
            digest.update(part);
        }
        digest.finish().as_ref().to_vec()
    }
}

fn configuration(files: &TlsFiles, contents: &Contents) -> Result<ServerConfig, ServeError> {
    let refuse = |reason: String| ServeError::Tls { files: files.clone(), reason };
    let certificates = |pem: &[u8], path: &Path| {
        let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| refuse(format!("{}: {error}", path.display())))?;
        // TLS would take authorities without any for ones that trust nobody, and say so to every client.
        match found.is_empty() {
            true => Err(refuse(format!("{} holds no certificate in PEM", path.display()))),
            false => Ok(found),
        }
    };
    let builder = ServerConfig::builder();
    let builder = match (&files.client_authority, &contents.client_authority) {
        (Some(path), Some(pem)) => {
            let mut authorities = RootCertStore::empty();
            for certificate in certificates(pem, path)? {
                authorities
                    .add(certificate)
                    .map_err(|error| refuse(format!("{}: {error}", path.display())))?;
            }
            let verifier = WebPkiClientVerifier::builder(authorities.into()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| refuse(error.to_string()))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let chain = certificates(&contents.certificate, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|error| refuse(format!("{} holds no private key in PEM ({error})", files.key.display())))?;
    let mut configuration =
        builder.with_single_cert(chain, key).map_err(|error| refuse(error.to_string()))?;
    configuration.alpn_protocols.push(b"h2".to_vec());
    Ok(configuration)
}
