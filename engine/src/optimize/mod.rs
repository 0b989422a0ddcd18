//! Physical rules of our own: the same answer, sooner.

mod once_per_text;
mod repeated_text;
mod text_memory;

pub(crate) use repeated_text::{RepeatedText, once_per_text};
