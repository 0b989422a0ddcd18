//! Plain forms of texts, and what may be quoted of them.

mod contact_mask;
mod normalise;

pub use contact_mask::mask_mailboxes;
pub use normalise::normalise;
