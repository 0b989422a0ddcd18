//! What texts say of promotions: discount codes, the days of group buys, signs of sponsors. Texts in half-width characters (Unicode
//! NFKC).

mod discount_code;
mod group_buy_window;
mod sponsor;

pub use discount_code::{CodeFound, discount_codes};
pub use group_buy_window::{WindowFound, group_buy_window};
pub use sponsor::{SponsorEvidence, SponsorLexicon, SponsorSignals};
