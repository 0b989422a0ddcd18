//! Views of texts are rid of what they do not point to before rows are held, where memory is short.

mod compact;
mod exec;
mod rule;

pub(crate) use rule::{CompactTexts, with_compact_texts};
