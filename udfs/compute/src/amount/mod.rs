//! Amounts of money as people write them.

mod numeral;
mod twd;

pub use numeral::parse_count;
pub use twd::parse_twd;
