//! The gRPC health service, for load balancers and clients that ask it: it says what `/readyz` says.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::operations::Operations;

/// How often readiness is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The server as a whole, and the service that it offers.
const SERVICES: [&str; 2] = ["", "arrow.flight.protocol.FlightService"];

/// Readiness as it was last seen. Nobody logs in to ask for it, and it tells nothing else.
pub(crate) struct Health<S> {
    reporter: HealthReporter,
    service: HealthServer<S>,
}

impl Health<()> {
    /// Begins to look, until `stop` is cancelled.
    pub(crate) fn start(operations: Operations, stop: CancellationToken) -> Health<impl HealthRpc> {
        let (reporter, service) = health_reporter();
        let looking = reporter.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(async {
                loop {
                    match operations.readiness().await {
                        Ok(()) => tell(&looking, ServingStatus::Serving).await,
                        Err(_reason) if operations.is_draining() => return,
                        Err(_reason) => tell(&looking, ServingStatus::NotServing).await,
                    }
                    tokio::time::sleep(LOOK).await;
                }
            })
            .await
        });
        Health { reporter, service }
    }
}

impl<S: HealthRpc> Health<S> {
    pub(crate) fn service(&self) -> HealthServer<S> {
        self.service.clone()
    }

    /// Tells whoever watches that no more queries are taken, and lets them go: they would keep the server from ending.
    pub(crate) async fn end(&self) {
        tell(&self.reporter, ServingStatus::NotServing).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut reporter = self.reporter.clone();
        for service in SERVICES {
            reporter.clear_service_status(service).await;
        }
    }
}

async fn tell(reporter: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        reporter.set_service_status(service, status).await;
    }
}
