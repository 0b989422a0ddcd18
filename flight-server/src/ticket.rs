//! What a ticket or a prepared statement's handle carries. Nothing of it is kept on the server, so a ticket works
//! any number of times, on any server of the same lake, and cannot run out.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::datatypes::Schema;
use prost::Message;
use tithe_engine::Principal;
use tonic::Status;
use uuid::Uuid;

use crate::session::Choices;

/// A statement as it was planned: whose, what, where names are looked up, and what it was said to return.
///
/// Whoever presents it runs it with their own rights; the principal's name in it is there to refuse a ticket that
/// strayed, not to grant anything.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StatementTicket {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(string, tag = "2")]
    principal: String,
    #[prost(string, tag = "3")]
    pub(crate) sql: String,
    #[prost(string, optional, tag = "4")]
    default_schema: Option<String>,
    #[prost(fixed64, tag = "5")]
    columns: u64,
    /// Rows of values for the statement's parameters, as an Arrow IPC stream.
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) values: Option<Vec<u8>>,
    /// An announced update, which runs once.
    #[prost(bool, tag = "7")]
    pub(crate) update: bool,
    /// The principal's groups when it was planned: what was planned with others is not theirs to fetch.
    #[prost(string, repeated, tag = "8")]
    groups: Vec<String>,
    /// Settings of its session.
    #[prost(btree_map = "string, string", tag = "9")]
    settings: BTreeMap<String, String>,
}

impl StatementTicket {
    pub(crate) fn new(principal: &Principal, sql: String, choices: Choices, columns: &Schema) -> Self {
        Self {
            id: Uuid::new_v4().into_bytes().to_vec(),
            principal: principal.name.clone(),
            sql,
            default_schema: choices.schema,
            columns: digest(columns),
            values: None,
            update: false,
            groups: principal.groups.iter().cloned().collect(),
            settings: choices.settings,
        }
    }

    /// What was chosen in its session when it was made.
    pub(crate) fn choices(&self) -> Choices {
        Choices { schema: self.default_schema.clone(), settings: self.settings.clone() }
    }

    /// The same statement with `values` bound.
    pub(crate) fn with_values(self, values: Vec<u8>) -> Self {
        Self { id: Uuid::new_v4().into_bytes().to_vec(), values: Some(values), ..self }
    }

    /// The same statement with nothing bound.
    pub(crate) fn without_values(self) -> Self {
        Self { values: None, ..self }
    }

    /// The same statement as an update that runs once, whatever is done with others like it.
    pub(crate) fn to_update(&self) -> Self {
        Self { id: Uuid::new_v4().into_bytes().to_vec(), update: true, ..self.clone() }
    }

    /// Says that the statement returns `columns`.
    pub(crate) fn announce(&mut self, columns: &Schema) {
        self.columns = digest(columns);
    }

    /// The ticket in `bytes`, if it is one and belongs to `principal`.
    pub(crate) fn read(bytes: &[u8], principal: &Principal) -> Result<Self, Status> {
        let unknown = || {
            Status::invalid_argument(
                "the ticket or statement handle is not one of this server: run the query again",
            )
        };
        let ticket = Self::decode(bytes).map_err(|_malformed| unknown())?;
        if ticket.id.len() != 16 || ticket.sql.is_empty() {
            return Err(unknown());
        }
        if ticket.principal != principal.name {
            return Err(Status::permission_denied("the ticket belongs to another user: run the query again"));
        }
        if !ticket.groups.iter().eq(&principal.groups) {
            return Err(Status::failed_precondition(
                "your groups changed since the query was planned: run it again",
            ));
        }
        Ok(ticket)
    }

    /// Tells one planned statement from every other.
    pub(crate) fn id(&self) -> Uuid {
        Uuid::from_slice(&self.id).unwrap_or_default()
    }

    /// Refuses to return other columns than were announced when the ticket was made.
    pub(crate) fn check_columns(&self, columns: &Schema) -> Result<(), Status> {
        if self.columns == digest(columns) {
            return Ok(());
        }
        Err(Status::failed_precondition(
            "the tables changed, and the result has other columns than were announced: run the query again",
        ))
    }
}

fn digest(columns: &Schema) -> u64 {
    let mut hasher = DefaultHasher::new();
    columns.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use tonic::Code;

    use super::*;

    #[test]
    fn only_its_owner_may_read_a_ticket() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let ticket =
            StatementTicket::new(&Principal::local(), "SELECT 1".to_owned(), Choices::default(), &schema);
        let bytes = ticket.encode_to_vec();
        assert_eq!(StatementTicket::read(&bytes, &Principal::local()).unwrap(), ticket);
        let other = Principal::from("other");
        assert_eq!(StatementTicket::read(&bytes, &other).unwrap_err().code(), Code::PermissionDenied);
        let promoted = Principal { groups: ["chiefs".to_owned()].into(), ..Principal::local() };
        let code = StatementTicket::read(&bytes, &promoted).unwrap_err().code();
        assert_eq!(code, Code::FailedPrecondition);
    }

    #[test]
    fn garbage_is_refused() {
        for garbage in [&b""[..], b"\xff\xff\xff", b"SELECT 1", &[0x0a, 0x02, 0x41, 0x41]] {
            let error = StatementTicket::read(garbage, &Principal::local()).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
        }
    }

    /// Whatever bytes come, a ticket is read or refused, and what is read is the reader's own.
    #[test]
    fn any_bytes_are_read_or_refused() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let lin =
            Principal { groups: ["臺北".to_owned(), "b".to_owned()].into(), ..Principal::from("lin") };
        let choices = Choices {
            schema: Some("tax".to_owned()),
            settings: [("tithe.query.rollups".to_owned(), "false".to_owned())].into(),
        };
        let own = StatementTicket::new(&lin, "SELECT '臺北'".to_owned(), choices, &schema)
            .with_values(vec![1, 2, 3])
            .encode_to_vec();
        let mut state = 42_u64;
        // splitmix64
        let mut random = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap()
        };
        let (mut read, mut refused) = (0, 0);
        for round in 0..20_000 {
            let mut bytes = if round % 4 == 0 { Vec::new() } else { own.clone() };
            match round % 4 {
                0 => bytes.extend((0..random() % 64).map(|_| u8::try_from(random() % 256).unwrap())),
                1 => bytes.truncate(random() % own.len()),
                _ => {
                    for _ in 0..=random() % 3 {
                        let place = random() % bytes.len();
                        bytes[place] ^= 1 << (random() % 8);
                    }
                }
            }
            match StatementTicket::read(&bytes, &lin) {
                Ok(ticket) => {
                    assert_eq!(ticket.principal, "lin");
                    assert!(ticket.groups.iter().eq(&lin.groups));
                    assert_eq!(ticket.id().as_bytes().as_slice(), ticket.id.as_slice());
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
        assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused");
    }

    #[test]
    fn other_columns_are_refused() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let ticket =
            StatementTicket::new(&Principal::local(), "SELECT 1".to_owned(), Choices::default(), &schema);
        ticket.check_columns(&schema).unwrap();
        let stricter = Schema::new(vec![Field::new("a", DataType::Int64, false)]);
        assert_eq!(ticket.check_columns(&stricter).unwrap_err().code(), Code::FailedPrecondition);
    }
}
