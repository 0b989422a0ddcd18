//! A seeded, deterministic sample lake for Tithe: tax registers, VAT returns, e-invoices and the
//! documents of online platforms of a made-up Taiwan.
//!
//! The economy is cut into communities of 2,000 taxpayers that trade only among themselves, so
//! every consistency of the data (invoices against returns, withholding against incomes) holds
//! within a piece small enough to be made alone, in any order, in little memory.

mod calendar;
mod community;
mod error;
mod generate;
mod identifier;
mod options;
mod progress;
mod random;
mod reference;
mod tables;
mod write;

pub use error::GenerateError;
pub use generate::{TableSummary, generate, generate_real};
pub use options::{GenerateOptions, LARGEST_SCALE, SMALLEST_SCALE};
pub use progress::{Progress, Silent};
