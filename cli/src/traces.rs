//! Traces of queries, for a collector of OpenTelemetry.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tithe_engine::TRACE_TARGET;
use tokio::runtime::Runtime;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::failure::{Failure, Result};

/// How long the end of a command waits for the last spans to be taken.
const LAST_SPANS: Duration = Duration::from_secs(3);
/// Environment variables of OpenTelemetry that say where the collector is, the first that is set.
const VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Sends the spans of this process, by OTLP over gRPC, until it is dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// To the collector of `--traces` or of OpenTelemetry's environment variables; none if neither names one.
    pub(crate) fn start(collector: Option<&str>, command: &str, runtime: &Runtime) -> Result<Option<Self>> {
        let from_environment = || {
            let mut named = VARIABLES.into_iter().filter_map(|variable| std::env::var(variable).ok());
            named.find(|url| !url.is_empty())
        };
        let Some(collector) = collector.map(str::to_owned).or_else(from_environment) else { return Ok(None) };
        let wrong = |reason: &str| {
            Failure::usage(format!(
                "cannot send traces to {collector:?}: {reason}; name a collector like http://127.0.0.1:4317"
            ))
        };
        let url = Url::parse(&collector).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("it is no http or https address"));
        }
        // The connection is made by a task of the runtime, when there is something to send.
        let _inside = runtime.enter();
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(url.as_str());
        let exporter = exporter.build().map_err(|error| wrong(&error.to_string()))?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(format!("tithe-{command}"));
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Some(Self(provider)))
    }

    /// What makes spans of what is instrumented here. The lines of the log stay out: they have names and SQL.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == TRACE_TARGET;
        let tracer = self.0.tracer("tithe");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false);
        layer.with_threads(false).with_filter(FilterFn::new(ours))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_SPANS) {
            tracing::warn!("the last spans were not taken: {error}");
        }
    }
}
