//! Traces of queries, as a collector of OpenTelemetry gets them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::runtime::Runtime;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::support::{Place, Service, ends, send};

/// Reads all invoices.
const SQL: &str = "SELECT period, sum(total_amount) AS 機密 FROM invoice.header WHERE seller_ban <> '04595257' GROUP BY period ORDER BY period";

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Taken>>>);

/// A span, and the service that it came from.
#[derive(Clone)]
struct Taken {
    service: String,
    span: Span,
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { name, span_id, parent_span_id, trace_id, attributes: about, status, .. } = &self.span;
        let ids = [span_id, parent_span_id, trace_id].map(|id| hex(id));
        write!(f, "{} {name} {ids:?} {:?} {status:?}", self.service, attributes(about))
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for from in request.into_inner().resource_spans {
            let service = attributes(&from.resource.unwrap_or_default().attributes)["service.name"].clone();
            let spans = from.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let taken = spans.map(|span| Taken { service: service.clone(), span });
            self.0.lock().unwrap().extend(taken);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    };
    of.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

impl Collector {
    /// Listening, and where.
    fn start(runtime: &Runtime) -> (Self, String) {
        let collector = Self::default();
        let _inside = runtime.enter();
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let address = incoming.local_addr().expect("an address");
        let service = TraceServiceServer::new(collector.clone());
        runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        (collector, format!("http://{address}"))
    }

    fn spans(&self) -> Vec<Taken> {
        self.0.lock().unwrap().clone()
    }

    /// The spans `name` of `service`.
    fn named(&self, service: &str, name: &str) -> Vec<Span> {
        let all =
            self.spans().into_iter().filter(|taken| taken.service == service && taken.span.name == name);
        all.map(|taken| taken.span).collect()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

#[test]
fn a_query_of_the_shell() {
    let runtime = runtime();
    let (collector, url) = Collector::start(&runtime);
    let place = Place::with_sample();
    let here = place.run(["sql", "--format", "csv", "-c", SQL]).result();
    assert_eq!(place.run(["sql", "--traces", &url, "--format", "csv", "-c", SQL]).result(), here);
    let [query] = &collector.named("tithe-sql", "query")[..] else { panic!("{:?}", collector.spans()) };
    let [plan] = &collector.named("tithe-sql", "plan")[..] else { panic!("{:?}", collector.spans()) };
    assert_eq!((&plan.trace_id, &plan.parent_span_id), (&query.trace_id, &query.span_id));
    let about = attributes(&query.attributes);
    assert_eq!(about["tithe.outcome"], "done");
    assert_eq!(about["tithe.rows"], format!("{:?}", Some(Value::IntValue(here.lines().count() as i64 - 1))));
    assert_eq!(about["query_id"].len(), 36);
    // A query that fails, and says why to whoever asked alone.
    let sql = "SELECT 1 / (total_amount - total_amount) FROM invoice.header";
    place.run(["sql", "--traces", &url, "-c", sql]).failure(1);
    let failed = collector.named("tithe-sql", "query").pop().expect("a span");
    assert_eq!(attributes(&failed.attributes)["tithe.outcome"], "failed");
    // Neither what was asked nor who asked nor what was found.
    let told = format!("{:?}", collector.spans());
    for secret in ["機密", "04595257", "invoice", "SELECT", "ivide", "local"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}

#[test]
fn from_the_client_to_the_workers() {
    let runtime = runtime();
    let (collector, url) = Collector::start(&runtime);
    let place = Place::with_sample();
    let listen = ["--listen", "127.0.0.1:0", "--traces", &url];
    // By one alone, everything is done where it was asked.
    let mut workers = [(), ()].map(|()| Service::start(&place, ["worker"].into_iter().chain(listen)));
    let addresses = workers.each_ref().map(|worker| worker.address.as_str()).join(",");
    place.write("tithe.toml", "[cluster]\nminimum = 0\nper_partition = 1\n");
    let serve = ["serve", "--workers", &addresses].into_iter().chain(listen);
    let mut server = Service::start(&place, serve);
    let (trace, client) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let rows = runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let mut asks = FlightSqlServiceClient::new(endpoint.connect().await.expect("a connection"));
        asks.set_header("traceparent", format!("00-{trace}-{client}-01"));
        let info = asks.execute(SQL.to_owned(), None).await.expect("an answer");
        let ticket = info.endpoint[0].ticket.clone().expect("a ticket");
        let batches: Vec<_> = asks.do_get(ticket).await.expect("rows").try_collect().await.expect("rows");
        batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>()
    });
    assert!(rows > 1);
    for service in [&mut server].into_iter().chain(&mut workers) {
        send("TERM", &service.process);
        assert_eq!(ends(&mut service.process), Some(0));
    }
    let within: Vec<Taken> =
        collector.spans().into_iter().filter(|taken| hex(&taken.span.trace_id) == trace).collect();
    let ids = |service: &str, name: &str| -> Vec<String> {
        let spans = within.iter().filter(|taken| taken.service == service && taken.span.name == name);
        spans.map(|taken| hex(&taken.span.span_id)).collect()
    };
    let parents = |service: &str, name: &str| -> Vec<String> {
        let spans = within.iter().filter(|taken| taken.service == service && taken.span.name == name);
        spans.map(|taken| hex(&taken.span.parent_span_id)).collect()
    };
    // Each call of the client is a part of what it does, the query a part of one of them, and its tasks parts of the query.
    assert_eq!(parents("tithe-serve", "request"), [client, client], "{within:#?}");
    let [query] = &parents("tithe-serve", "query")[..] else { panic!("{within:#?}") };
    assert!(ids("tithe-serve", "request").contains(query), "{within:#?}");
    let tasks = parents("tithe-worker", "task");
    let of_query = [ids("tithe-serve", "query"), ids("tithe-serve", "plan")].concat();
    assert!(
        !tasks.is_empty() && tasks.iter().all(|task| of_query.contains(task)),
        "{:#?}",
        collector.spans()
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn without_a_collector_everything_goes_on() {
    let place = Place::with_sample();
    let ran = place.run(["sql", "--traces", "http://127.0.0.1:1", "--format", "csv", "-c", "SELECT 1 AS n"]);
    assert_eq!((ran.code, ran.stdout()), (Some(0), "n\n1\n"), "{}", ran.stderr);
    for wrong in ["127.0.0.1:4317", "ftp://collector", "http://"] {
        let told = place.run(["sql", "--traces", wrong, "-c", "SELECT 1"]).failure(2);
        let expected = format!("error: cannot send traces to {wrong:?}: ");
        assert!(told.starts_with(&expected) && told.contains("http://127.0.0.1:4317"), "{told}");
    }
}
