//! What a ticket or a prepared statement's handle carries. Nothing of it is kept on the server, so a ticket works
//! any number of times, on any server of the same lake, and cannot run out.

use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::datatypes::Schema;
use prost::Message;
use tithe_engine::Principal;
use tonic::Status;
use uuid::Uuid;

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
    pub(crate) default_schema: Option<String>,
    #[prost(fixed64, tag = "5")]
    columns: u64,
    /// Rows of values for the statement's parameters, as an Arrow IPC stream.
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) values: Option<Vec<u8>>,
    /// An announced update, which runs once.
    #[prost(bool, tag = "7")]
    pub(crate) update: bool,
}

impl StatementTicket {
    pub(crate) fn new(
        principal: &Principal,
        sql: String,
        default_schema: Option<String>,
        columns: &Schema,
    ) -> Self {
        Self {
            id: Uuid::new_v4().into_bytes().to_vec(),
            principal: principal.name.clone(),
            sql,
            default_schema,
            columns: digest(columns),
            values: None,
            update: false,
        }
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
        let ticket = StatementTicket::new(&Principal::local(), "SELECT 1".to_owned(), None, &schema);
        let bytes = ticket.encode_to_vec();
        assert_eq!(StatementTicket::read(&bytes, &Principal::local()).unwrap(), ticket);
        let other = Principal { name: "other".to_owned() };
        assert_eq!(StatementTicket::read(&bytes, &other).unwrap_err().code(), Code::PermissionDenied);
    }

    #[test]
    fn garbage_is_refused() {
        for garbage in [&b""[..], b"\xff\xff\xff", b"SELECT 1", &[0x0a, 0x02, 0x41, 0x41]] {
            let error = StatementTicket::read(garbage, &Principal::local()).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn other_columns_are_refused() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let ticket = StatementTicket::new(&Principal::local(), "SELECT 1".to_owned(), None, &schema);
        ticket.check_columns(&schema).unwrap();
        let stricter = Schema::new(vec![Field::new("a", DataType::Int64, false)]);
        assert_eq!(ticket.check_columns(&stricter).unwrap_err().code(), Code::FailedPrecondition);
    }
}
