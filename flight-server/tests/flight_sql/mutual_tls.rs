//! A server that lets in only clients with a certificate.

use std::path::PathBuf;

use tempfile::TempDir;
use tithe_engine::ErrorKind;
use tithe_flight_server::{ServeOptions, TlsFiles, serve};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::support::{Client, Server, engine, on_a_free_port, tests_folder, tls_files};

fn file(name: &str) -> PathBuf {
    tests_folder().join("tls").join(name)
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

fn mutual(authority: PathBuf) -> Option<TlsFiles> {
    Some(TlsFiles { client_authority: Some(authority), ..tls_files() })
}

/// `SELECT 1` over a connection that shows `identity`.
async fn ask(server: &Server, identity: Option<Identity>) -> Result<String, String> {
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(pem("certificate.pem")))
        .domain_name("localhost");
    if let Some(identity) = identity {
        tls = tls.identity(identity);
    }
    let endpoint = Endpoint::from_shared(server.uri("https")).unwrap().tls_config(tls).unwrap();
    let channel: Channel = endpoint.connect().await.map_err(|error| format!("{error:?}"))?;
    let batches = Client::new(channel).query("SELECT 1").await.map_err(|status| status.to_string())?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum::<usize>().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_client_with_a_certificate_of_the_authority_is_let_in() {
    let server = Server::with(|options| options.tls = mutual(file("client-authority.pem"))).await;
    let client = Identity::from_pem(pem("client-certificate.pem"), pem("client-key.pem"));
    assert_eq!(ask(&server, Some(client)).await, Ok("1".to_owned()));
    ask(&server, None).await.unwrap_err();
    // A certificate of nobody that the server trusts.
    let stranger = Identity::from_pem(pem("certificate.pem"), pem("key.pem"));
    ask(&server, Some(stranger)).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_that_cannot_be_used() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (authority, expected) in [
        (folder.path().join("none.pem"), "cannot read "),
        (empty, "empty.pem holds no certificate in PEM"),
        (file("key.pem"), "key.pem holds no certificate in PEM"),
    ] {
        let engine = engine(&tithe_testkit::sample_lake(), None).await;
        let options = ServeOptions { tls: mutual(authority), ..on_a_free_port() };
        let started =
            serve(engine, options, std::future::pending(), |addresses| panic!("listens on {addresses:?}"));
        let error = started.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
