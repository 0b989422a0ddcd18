//! What a creator probably earned in a year, and how sure one can be.
//!
//! A Bayesian model of gross receipts: advertising, sponsorship, donations and memberships, group buying
//! and affiliate commissions, and the rest, tied together by one multiplier per creator. Evidence narrows
//! it: deals reported by payers, remittances from abroad, and the declared amount, which is a likelihood
//! under a mixture of compliance and never a floor. Missing evidence leaves the prior.
//!
//! Nothing here assesses a tax: an estimate is a reason for a person to look.

mod category;
mod counts;
mod device;
mod draw;
mod estimate;
mod evidence;
mod explain;
mod flags;
mod likelihood;
mod model;
mod months;
#[cfg(test)]
mod plain;
mod posterior;
mod prior_changes;
mod prior_table;
mod priors;
mod quantile;
mod simulate;
mod sponsorship;

pub use category::Category;
pub use device::{DRAW_COLUMNS, DrawDevice, ROW_WORDS, Rows, RowsPart, estimate_batch, month_table};
pub use estimate::{Amounts, Estimate, Summary, Undeclared, estimate, estimate_all, explained};
pub use evidence::Evidence;
pub use explain::{Contribution, EvidenceKind};
pub use flags::{Flag, Flags};
pub use posterior::{Posterior, Quantity, posterior};
pub use prior_changes::{PriorChange, PriorError, changed_priors};
pub use prior_table::{Confidence, PRIOR_TABLE, Prior, Unit};
pub use priors::{PRIORS_VERSION, Priors};
pub use simulate::{Simulated, Truth, simulate};
