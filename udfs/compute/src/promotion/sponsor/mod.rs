//! What a text says about being paid for, by a lexicon of phrases.

mod automaton;
mod code_end;
mod filter;
mod hits;
mod lexicon;
mod needed;
mod occurrences;
mod signals;

pub use lexicon::SponsorLexicon;
pub use signals::{SponsorEvidence, SponsorSignals};

#[cfg(test)]
mod tests;
