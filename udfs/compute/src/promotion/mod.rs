//! What texts say of promotions: discount codes and the days of group buys. Texts in half-width characters (Unicode
//! NFKC).

mod discount_code;
mod group_buy_window;

pub use discount_code::{CodeFound, discount_codes};
pub use group_buy_window::{WindowFound, group_buy_window};
