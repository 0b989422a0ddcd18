//! Taiwan's identifiers: their forms and their check digits.
//!
//! Every function here judges the exact text it is given, in half-width characters: white space and full-width
//! forms are the caller's to settle.

mod ban;
mod einvoice_number;
mod luhn;
mod tw_id;

pub use ban::{BanRule, ban_is_valid};
pub use einvoice_number::einvoice_number_is_valid;
pub use luhn::luhn_is_valid;
pub use tw_id::{TwIdKind, tw_id_kind};

/// The decimal digits of a text that has nothing else, or `None`.
fn digits<const N: usize>(text: &[u8]) -> Option<[u32; N]> {
    let bytes: &[u8; N] = text.try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then(|| bytes.map(|byte| u32::from(byte - b'0')))
}
