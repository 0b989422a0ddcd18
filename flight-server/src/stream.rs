//! A running query as a stream of Flight messages.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;

use crate::limits::{Permit, timed_out};
use crate::run_state::RunState;
use crate::running::Run;
use crate::split::{MESSAGE_LIMIT, Splitter};
use crate::status;
use crate::workers::Workers;

/// What `DoGet` answers.
pub(crate) type FlightStream = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send + 'static>>;

/// Messages made ahead of the client: with at most 4 MiB each, what a slow client costs.
const AHEAD: usize = 3;

/// When a query has to end before its time.
#[derive(Debug)]
pub(crate) struct Bounds {
    run: Run,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
}

impl Bounds {
    /// `timeout` from now, or when `run` is interrupted.
    pub(crate) fn new(run: Run, timeout: Option<Duration>) -> Self {
        Self { run, timeout, deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)) }
    }

    /// Runs `work` unless it has to end before; then it is dropped, and the status says why.
    pub(crate) async fn hold<T>(&self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        // In a box, for the stack of whoever waits.
        let work = Box::pin(work);
        self.run
            .unless_interrupted(async {
                tokio::select! {
                    biased;
                    () = passed(self.deadline) => Err(timed_out(self.timeout)),
                    done = work => done,
                }
            })
            .await
    }

    /// Where the run tells how far it is.
    pub(crate) fn state(&self) -> Arc<RunState> {
        self.run.state()
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The messages of a running query: those that are made, and what makes the others.
pub(crate) struct Messages {
    made: Vec<FlightData>,
    left: Option<Left>,
}

struct Left {
    batches: SendableRecordBatchStream,
    splitter: Splitter,
}

impl Messages {
    /// Of `batches`, none of which is made yet, in `schema`.
    pub(crate) fn of(batches: SendableRecordBatchStream, schema: SchemaRef) -> Self {
        let splitter = Splitter::new(schema);
        Self { made: vec![splitter.opening()], left: Some(Left { batches, splitter }) }
    }

    /// `change` of the batches that are left.
    pub(crate) fn map(
        self,
        change: impl FnOnce(SendableRecordBatchStream) -> SendableRecordBatchStream,
    ) -> Self {
        let left = self.left.map(|left| Left { batches: change(left.batches), ..left });
        Self { left, ..self }
    }

    /// Makes what fits into one message more or less: a small answer is then whole, and need not be handed on from thread to
    /// thread.
    ///
    /// # Errors
    /// When the query fails.
    pub(crate) async fn make_few(mut self, state: &RunState) -> Result<Self, Status> {
        let mut bytes = 0;
        while let Some(mut left) = self.left.take() {
            while bytes < MESSAGE_LIMIT
                && let Some(message) = left.message()?
            {
                bytes += message.data_body.len();
                self.made.push(message);
            }
            if bytes >= MESSAGE_LIMIT {
                self.left = Some(left);
                break;
            }
            if left.take_batch(state).await? {
                self.left = Some(left);
            }
        }
        Ok(self)
    }
}

impl Left {
    /// The next message of the batches that have been taken.
    fn message(&mut self) -> Result<Option<FlightData>, Status> {
        self.splitter.message().map_err(|error| status::from_arrow(&error))
    }

    /// Takes another batch; false when there is none.
    async fn take_batch(&mut self, state: &RunState) -> Result<bool, Status> {
        let Some(batch) = self.batches.next().await else { return Ok(false) };
        let batch = batch.map_err(status::from_execution)?;
        state.deliver(batch.num_rows());
        self.splitter.push(batch);
        Ok(true)
    }
}

/// The rows of a running query, made a little ahead of the client and never further.
///
/// The query is dropped, and its `permit` given back, as soon as it ends, fails, has to end, or the client goes away.
pub(crate) fn of_query(workers: Workers, messages: Messages, bounds: Bounds, permit: Permit) -> FlightStream {
    if messages.left.is_none() {
        bounds.state().end(Ok(()));
        return Box::pin(stream::iter(messages.made.into_iter().map(Ok)));
    }
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let rows = sender.clone();
        let (state, told) = (bounds.state(), bounds.state());
        let sending = workers.run(async move {
            let _until_it_ends = permit;
            send_all(&rows, messages, &state).await
        });
        let outcome = tokio::select! {
            biased;
            () = sender.closed() => return,
            outcome = bounds.hold(sending) => outcome,
        };
        let last = match outcome {
            Ok(()) => {
                told.end(Ok(()));
                Item::End
            }
            Err(status) => Item::Message(Err(told.name(status))),
        };
        drop(bounds);
        sender.send(last).await.ok();
    });
    // A task that died would look like the end of the rows: only an explicit end is one.
    Box::pin(stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Item::Message(Ok(message))) => Some((Ok(message), Some(receiver))),
            Some(Item::Message(Err(status))) => Some((Err(status), None)),
            Some(Item::End) => None,
            None => {
                Some((Err(Status::internal("the query ended without a result: see the server's log")), None))
            }
        }
    }))
}

enum Item {
    Message(Result<FlightData, Status>),
    End,
}

async fn send_all(sender: &mpsc::Sender<Item>, messages: Messages, state: &RunState) -> Result<(), Status> {
    for message in messages.made {
        sender.send(Item::Message(Ok(message))).await.ok();
    }
    let Some(mut left) = messages.left else { return Ok(()) };
    loop {
        while let Some(message) = left.message()? {
            sender.send(Item::Message(Ok(message))).await.ok();
        }
        if !left.take_batch(state).await? {
            return Ok(());
        }
    }
}

/// The one batch of a metadata command.
pub(crate) fn of_batch(batch: RecordBatch) -> FlightStream {
    let mut splitter = Splitter::new(batch.schema());
    let opening = splitter.opening();
    splitter.push(batch);
    let rest = stream::unfold(splitter, |mut splitter| async move {
        let message = splitter.message().map_err(|error| status::from_arrow(&error)).transpose()?;
        Some((message, splitter))
    });
    Box::pin(stream::iter([Ok(opening)]).chain(rest))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};
    use arrow_flight::utils::flight_data_to_batches;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use uuid::Uuid;

    use super::*;

    /// The messages that are made at once of `rows` numbers in one batch, and those that are left.
    async fn made(rows: i64) -> (Vec<FlightData>, Vec<FlightData>) {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let schema = batch.schema();
        let batches = RecordBatchStreamAdapter::new(Arc::clone(&schema), stream::iter([Ok(batch)]));
        let state = RunState::new(Uuid::new_v4(), "wang", "SELECT n FROM numbers");
        let messages = Messages::of(Box::pin(batches), schema).make_few(&state).await.unwrap();
        let mut rest = Vec::new();
        if let Some(mut left) = messages.left {
            loop {
                while let Some(message) = left.message().unwrap() {
                    rest.push(message);
                }
                if !left.take_batch(&state).await.unwrap() {
                    break;
                }
            }
        }
        (messages.made, rest)
    }

    #[tokio::test]
    async fn a_small_answer_is_whole_at_once_and_of_a_large_one_the_beginning() {
        let (small, rest) = made(1000).await;
        assert_eq!((small.len(), rest.len()), (2, 0), "the schema and the rows");
        let rows = 3_000_000;
        let (first, rest) = made(rows).await;
        let bytes: usize = first.iter().map(|message| message.data_body.len()).sum();
        assert!((MESSAGE_LIMIT..2 * MESSAGE_LIMIT).contains(&bytes), "{bytes}");
        let all: Vec<FlightData> = first.into_iter().chain(rest).collect();
        let batches = flight_data_to_batches(&all).unwrap();
        let numbers = batches.iter().flat_map(|batch| {
            batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
        });
        assert!(numbers.eq(0..rows), "each row once, in order");
    }
}
