//! Answers that are the same for every client, made once.

use arrow_flight::sql::metadata::{SqlInfoData, XdbcTypeInfoData};
use tonic::Status;

use super::{sql_info, type_info};
use crate::limits::Limits;

/// What the server says about itself and its types.
pub(crate) struct Constants {
    pub(super) sql_info: SqlInfoData,
    pub(super) type_info: XdbcTypeInfoData,
}

impl Constants {
    pub(crate) fn new(limits: &Limits, writable: bool) -> Result<Self, Status> {
        Ok(Self { sql_info: sql_info::data(limits, writable)?, type_info: type_info::data()? })
    }
}
