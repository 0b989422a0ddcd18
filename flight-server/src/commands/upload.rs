//! What a client sends with `DoPut`.

use arrow_flight::FlightData;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tonic::{Status, Streaming};

use crate::request_end::RequestEnd;

/// The messages of one upload.
pub(super) struct Upload {
    /// The first, which says what the upload is.
    pub(super) first: FlightData,
    pub(super) rest: Streaming<FlightData>,
    pub(super) end: RequestEnd,
}

impl Upload {
    /// Every message; the last is an error where the client went away before it said that it has sent everything.
    pub(super) fn messages(self) -> impl Stream<Item = Result<FlightData, Status>> + Send + 'static {
        let Self { first, rest, end } = self;
        let ended =
            stream::once(async move { end.check().map(|()| None) }).try_filter_map(async |none| Ok(none));
        stream::iter([Ok(first)]).chain(rest).chain(ended)
    }
}
