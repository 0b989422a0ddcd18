//! A server in this process on a free port, and short ways to ask it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::util::pretty::pretty_format_batches;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::utils::flight_data_to_batches;
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo, Ticket};
use futures::TryStreamExt;
use prost::Message;
use tithe_engine::{Engine, EngineOptions};
use tithe_flight_server::{ServeError, ServeOptions, TlsFiles, serve};
use tithe_testkit::sample_lake;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

/// A query that nobody would wait for.
pub(crate) const ENDLESS: &str = "SELECT max(value % 7) FROM generate_series(1, 1000000000000)";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) operations: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// On the sample lake, without TLS, users or limits.
    pub(crate) async fn start() -> Self {
        Self::with(|_options| ()).await
    }

    /// On the sample lake, after `change` to the options.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::on(&sample_lake(), change).await
    }

    pub(crate) async fn on(lake: &Path, change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::of(engine(lake, None).await, change).await
    }

    /// On the sample lake, under the policy in a file.
    pub(crate) async fn under_policy(policy: &Path, change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::of(engine(&sample_lake(), Some(policy)).await, change).await
    }

    pub(crate) async fn of(engine: Arc<Engine>, change: impl FnOnce(&mut ServeOptions)) -> Self {
        let mut options = on_a_free_port();
        change(&mut options);
        let (ready, addresses) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            serve(engine, options, stopped, |addresses| ready.send(addresses).unwrap()).await
        });
        let addresses = addresses.await.expect("the server listens");
        Self { address: addresses.flight_sql, operations: addresses.operations, stop, ended }
    }

    /// As `grpc://127.0.0.1:32010`.
    pub(crate) fn uri(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.address.port())
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.uri("http")).unwrap();
        endpoint.connect().await.expect("a connection")
    }

    pub(crate) async fn tls_channel(&self) -> Channel {
        let authority = Certificate::from_pem(std::fs::read(tls_files().certificate).unwrap());
        let endpoint = Endpoint::from_shared(self.uri("https")).unwrap();
        let tls = ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost");
        endpoint.tls_config(tls).unwrap().connect().await.expect("a TLS connection")
    }

    pub(crate) async fn client(&self) -> Client {
        Client::new(self.channel().await)
    }

    /// Tells the server to stop; what it returned, and how long that took.
    pub(crate) async fn stop(self) -> (Result<(), ServeError>, Duration) {
        let since = std::time::Instant::now();
        self.stop.send(()).ok();
        (self.ended.await.unwrap(), since.elapsed())
    }
}

pub(crate) fn on_a_free_port() -> ServeOptions {
    ServeOptions::new(([127, 0, 0, 1], 0).into())
}

pub(crate) async fn engine(lake: &Path, policy: Option<&Path>) -> Arc<Engine> {
    let options = EngineOptions {
        lake: Some(lake.to_str().unwrap().parse().unwrap()),
        target_partitions: Some(2),
        policy: policy.map(Path::to_path_buf),
        ..EngineOptions::default()
    };
    Engine::open(options).await.unwrap()
}

pub(crate) fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

pub(crate) fn tls_files() -> TlsFiles {
    let folder = tests_folder().join("tls");
    TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        client_authority: None,
    }
}

/// One client, with a token where it logged in. Beside arrow-flight's, which hides the status of an error.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) sql: FlightSqlServiceClient<Channel>,
    pub(crate) flight: FlightServiceClient<Channel>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            sql: FlightSqlServiceClient::new(channel.clone()),
            flight: FlightServiceClient::new(channel).max_decoding_message_size(64 << 20),
            headers: Vec::new(),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.sql.set_header(name, value);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for (name, value) in &self.headers {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    pub(crate) async fn info(&self, command: &impl ProstMessageExt) -> Result<FlightInfo, Status> {
        let request = self.request(descriptor(command));
        Ok(self.flight.clone().get_flight_info(request).await?.into_inner())
    }

    pub(crate) async fn query_info(&self, sql: &str) -> Result<FlightInfo, Status> {
        self.info(&statement(sql)).await
    }

    pub(crate) async fn messages(&self, ticket: Ticket) -> Result<Vec<FlightData>, Status> {
        let answer = self.flight.clone().do_get(self.request(ticket)).await?;
        answer.into_inner().try_collect().await
    }

    /// What the command returns, fetched from its one endpoint.
    pub(crate) async fn fetch(
        &self,
        command: &impl ProstMessageExt,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), Status> {
        let info = self.info(command).await?;
        let messages = self.messages(ticket(&info)).await?;
        let first = messages.first().expect("a message with the schema");
        Ok((Arc::new(Schema::try_from(first).unwrap()), flight_data_to_batches(&messages).unwrap()))
    }

    pub(crate) async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, Status> {
        Ok(self.fetch(&statement(sql)).await?.1)
    }

    /// The rows of `sql`, as a table.
    pub(crate) async fn table(&self, sql: &str) -> String {
        let batches = self.query(sql).await.unwrap_or_else(|status| panic!("{sql}: {status}"));
        pretty_format_batches(&batches).unwrap().to_string()
    }

    /// The one value of `sql`.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let table = self.table(sql).await;
        table.lines().nth(3).unwrap_or_default().trim_matches(['|', ' ']).to_owned()
    }

    /// Code and message of the error of `sql`, of whichever call reports it.
    pub(crate) async fn refusal(&self, sql: &str) -> (Code, String) {
        match self.query(sql).await {
            Ok(rows) => panic!("{sql} gave {} batches", rows.len()),
            Err(status) => (status.code(), status.message().to_owned()),
        }
    }
}

pub(crate) fn statement(sql: &str) -> CommandStatementQuery {
    CommandStatementQuery { query: sql.to_owned(), transaction_id: None }
}

pub(crate) fn descriptor(command: &impl ProstMessageExt) -> FlightDescriptor {
    FlightDescriptor::new_cmd(command.as_any().encode_to_vec())
}

/// The ticket of the one endpoint.
pub(crate) fn ticket(info: &FlightInfo) -> Ticket {
    assert_eq!(info.endpoint.len(), 1);
    info.endpoint[0].ticket.clone().expect("a ticket")
}

/// The rows of a command's answer, as a table.
pub(crate) fn shown(batches: &[RecordBatch]) -> String {
    pretty_format_batches(batches).unwrap().to_string()
}
