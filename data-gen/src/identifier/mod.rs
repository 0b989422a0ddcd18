//! Identifiers with valid checksums, all from ranges that mark them as synthetic.

mod ban;
mod code;
mod invoice_number;
mod national_id;

pub(crate) use ban::{Ban, business_ban};
pub(crate) use invoice_number::{InvoiceNumber, NUMBERS_PER_BLOCK, invoice_number};
pub(crate) use national_id::{NationalId, national_id};
