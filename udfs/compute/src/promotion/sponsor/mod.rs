//! What a text says about being paid for, by a lexicon of phrases.

mod filter;
mod lexicon;
mod needed;
mod signals;

pub use lexicon::SponsorLexicon;
pub use signals::{SponsorEvidence, SponsorSignals};

#[cfg(test)]
mod tests;
