//! A community: 2,000 taxpayers, their businesses, creators, secrets and trade.

mod creator;
mod document;
mod evasion;
mod income;
mod keys;
mod layout;
mod taxpayer;
mod trade;

pub(crate) use creator::{Creator, Deal, creators};
pub(crate) use document::{Document, DocumentKind, documents};
pub(crate) use evasion::Pattern;
pub(crate) use income::{payslips, tax_due, withheld};
pub(crate) use layout::Layout;
pub(crate) use taxpayer::{Business, Community, Kind, Taxpayer};
pub(crate) use trade::{Invoice, Item, Trade, trade};
