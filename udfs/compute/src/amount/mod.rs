//! Amounts of money as people write them.

mod extract;
mod numeral;
mod twd;

pub use extract::{AmountFound, AmountKind, extract_amounts};
pub use numeral::parse_count;
pub use twd::parse_twd;
