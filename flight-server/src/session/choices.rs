//! What a client chose.

use std::collections::BTreeMap;

/// The choices of one session: every statement is planned with those of the moment when it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    /// Where table names without a schema are looked up.
    pub(crate) schema: Option<String>,
    /// Values of settings, by the names that `SET` takes.
    pub(crate) settings: BTreeMap<String, String>,
}
