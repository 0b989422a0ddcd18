//! The gRPC service: says who calls and hands each call to its command.

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::{Stream, stream};
use tithe_engine::{Engine, Principal};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::authentication::Authenticator;
use crate::commands::{self, Constants, Plans, Updates};
use crate::connection::Peer;
use crate::limits::Limits;
use crate::request_end::RequestEnd;
use crate::running::Running;
use crate::session::{SessionKeys, Sessions};
use crate::stream::FlightStream;
use crate::workers::QueryThreads;

type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

/// One server's state; every call shares it.
pub(crate) struct FlightSql {
    pub(crate) engine: Arc<Engine>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) running: Running,
    pub(crate) sessions: Sessions,
    pub(crate) plans: Plans,
    pub(crate) constants: Constants,
    pub(crate) threads: QueryThreads,
    pub(crate) updates: Updates,
    /// Whether statements may write tables of the lake.
    pub(crate) writable: bool,
}

/// Who sent a request.
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) session: SessionKeys,
}

impl FlightSql {
    /// A server of `engine`, whose queries are noted in `running` and run by `threads`.
    pub(crate) fn new(
        engine: Arc<Engine>,
        authenticator: Arc<Authenticator>,
        limits: Arc<Limits>,
        running: Running,
        threads: QueryThreads,
        writable: bool,
    ) -> Result<Self, Status> {
        let constants = Constants::new(&limits, writable)?;
        Ok(Self {
            engine,
            authenticator,
            limits,
            running,
            sessions: Sessions::default(),
            plans: Plans::default(),
            constants,
            threads,
            updates: Updates::default(),
            writable,
        })
    }

    async fn caller<T>(&self, request: Request<T>) -> Result<(Caller, T), Status> {
        let (headers, extensions, message) = request.into_parts();
        let peer = Peer::of(&extensions);
        let principal = self.authenticator.principal(&headers, peer).await?;
        let session = SessionKeys::new(&principal, &headers, peer);
        Ok((Caller { principal, session }, message))
    }

    async fn log_in(
        &self,
        headers: &MetadataMap,
        peer: Option<Peer>,
    ) -> Result<Response<BoxStream<HandshakeResponse>>, Status> {
        let token = self.authenticator.log_in(headers, peer).await?;
        let answer: BoxStream<HandshakeResponse> = Box::pin(stream::iter([Ok(HandshakeResponse::default())]));
        let mut response = Response::new(answer);
        if let Some(token) = token {
            response.metadata_mut().insert("authorization", token);
        }
        Ok(response)
    }
}

#[tonic::async_trait]
impl FlightService for FlightSql {
    type HandshakeStream = BoxStream<HandshakeResponse>;
    type ListFlightsStream = BoxStream<FlightInfo>;
    type DoGetStream = FlightStream;
    type DoPutStream = BoxStream<PutResult>;
    type DoActionStream = BoxStream<arrow_flight::Result>;
    type ListActionsStream = BoxStream<ActionType>;
    type DoExchangeStream = BoxStream<FlightData>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        let peer = Peer::of(request.extensions());
        // Some clients send no message and keep their side open: only the headers are read.
        self.log_in(request.metadata(), peer).await
    }

    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.caller(request).await?;
        Err(Status::unimplemented("this server lists no flights: ask for its tables (CommandGetTables)"))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let (caller, descriptor) = self.caller(request).await?;
        Ok(Response::new(commands::flight_info(self, &caller, descriptor).await?))
    }

    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let (caller, descriptor) = self.caller(request).await?;
        Ok(Response::new(commands::poll(self, &caller, descriptor).await?))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let (caller, descriptor) = self.caller(request).await?;
        Ok(Response::new(commands::schema(self, &caller, &descriptor).await?))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let (caller, ticket) = self.caller(request).await?;
        Ok(Response::new(commands::rows(self, &caller, &ticket).await?))
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        let end = RequestEnd::of(request.extensions());
        let (caller, messages) = self.caller(request).await?;
        let result = commands::put(self, &caller, messages, end).await?;
        Ok(Response::new(Box::pin(stream::iter([Ok(result)]))))
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let (caller, action) = self.caller(request).await?;
        let done = commands::act(self, &caller, &action).await?;
        let results: Self::DoActionStream = Box::pin(stream::iter(done.results.into_iter().map(Ok)));
        let mut response = Response::new(results);
        if let Some(cookie) = done.cookie {
            response.metadata_mut().insert("set-cookie", cookie);
        }
        Ok(response)
    }

    async fn list_actions(
        &self,
        request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        self.caller(request).await?;
        Ok(Response::new(Box::pin(stream::iter(commands::actions().map(Ok)))))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.caller(request).await?;
        Err(Status::unimplemented("this server has no DoExchange: send SQL (CommandStatementQuery) instead"))
    }
}
