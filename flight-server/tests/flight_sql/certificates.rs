//! A server whose certificate is renewed while it runs.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tithe_flight_server::TlsFiles;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::support::{Client, Server, tests_folder};

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(tests_folder().join("tls").join(name)).unwrap()
}

fn put(folder: &Path, name: &str, content: &[u8]) {
    std::fs::write(folder.join(name), content).unwrap();
}

/// A connection to a server that shows `server`, by a client that shows `client`.
async fn connect(at: &Server, server: &str, client: Option<&str>) -> Result<Channel, String> {
    let mut tls =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem(server))).domain_name("localhost");
    if let Some(client) = client {
        let (certificate, key) = (format!("{client}-certificate.pem"), format!("{client}-key.pem"));
        tls = tls.identity(Identity::from_pem(pem(&certificate), pem(&key)));
    }
    let endpoint = Endpoint::from_shared(at.uri("https")).unwrap().tls_config(tls).unwrap();
    let channel = endpoint.connect().await.map_err(|error| format!("{error:?}"))?;
    // Without a certificate that it wants, the server ends the connection after the client thinks that it has one.
    match Client::new(channel.clone()).query("SELECT 1").await {
        Ok(_rows) => Ok(channel),
        Err(status) => Err(status.to_string()),
    }
}

/// Waits until a new connection comes about.
async fn connects(at: &Server, server: &str, client: Option<&str>) {
    for _ in 0..150 {
        if connect(at, server, client).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{server} is not shown: {:?}", connect(at, server, client).await.err());
}

/// Longer than the server waits between two looks.
async fn looks() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_get_a_renewed_certificate() {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    put(root, "certificate.pem", &pem("certificate.pem"));
    put(root, "key.pem", &pem("key.pem"));
    let files = TlsFiles {
        certificate: root.join("certificate.pem"),
        key: root.join("key.pem"),
        client_authority: None,
    };
    let server = Server::with(|options| options.tls = Some(files)).await;
    let before = Client::new(connect(&server, "certificate.pem", None).await.unwrap());
    // What cannot be used changes nothing: a file in the middle of being written, a key of another certificate, none.
    put(root, "certificate.pem", b"-----BEGIN CERTIFICATE-----\nMIIB");
    looks().await;
    connect(&server, "certificate.pem", None).await.unwrap();
    put(root, "certificate.pem", &pem("renewed-certificate.pem"));
    looks().await;
    connect(&server, "certificate.pem", None).await.unwrap();
    std::fs::remove_file(root.join("key.pem")).unwrap();
    looks().await;
    connect(&server, "certificate.pem", None).await.unwrap();
    put(root, "key.pem", &pem("renewed-key.pem"));
    connects(&server, "renewed-certificate.pem", None).await;
    connect(&server, "certificate.pem", None).await.unwrap_err();
    // A connection that was there goes on.
    assert_eq!(before.value("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_are_the_authorities_of_clients() {
    let folder = TempDir::new().unwrap();
    let authority = folder.path().join("authority.pem");
    put(folder.path(), "authority.pem", &pem("client-authority.pem"));
    let tls = tests_folder().join("tls");
    let files = TlsFiles {
        certificate: tls.join("certificate.pem"),
        key: tls.join("key.pem"),
        client_authority: Some(authority),
    };
    let server = Server::with(|options| options.tls = Some(files)).await;
    connect(&server, "certificate.pem", Some("client")).await.unwrap();
    connect(&server, "certificate.pem", Some("node")).await.unwrap_err();
    // Emptied by mistake: nobody else is let in, and nobody less.
    put(folder.path(), "authority.pem", b"");
    looks().await;
    connect(&server, "certificate.pem", Some("client")).await.unwrap();
    connect(&server, "certificate.pem", None).await.unwrap_err();
    put(folder.path(), "authority.pem", &pem("node-authority.pem"));
    connects(&server, "certificate.pem", Some("node")).await;
    connect(&server, "certificate.pem", Some("client")).await.unwrap_err();
}
