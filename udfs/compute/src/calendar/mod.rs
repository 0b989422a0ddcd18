//! The calendar of Taiwan's tax administration: ROC dates (ROC year = Gregorian year − 1911), VAT
//! periods and the Lunar New Year.

mod lunar_new_year;
mod roc_date;
mod vat_period;

pub use lunar_new_year::{lunar_new_year, lunar_new_year_share};
pub use roc_date::{format_roc_date, parse_roc_date, roc_year};
pub use vat_period::{vat_period, vat_period_start};
