//! What coordinator and worker must have in common to give the same answer.

use std::fmt::Write;

use datafusion::execution::SessionState;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The header that carries [`Fingerprint::digest`] with every task.
pub(super) const FINGERPRINT_HEADER: &str = "tithe-cluster-fingerprint";

/// What a node is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    tithe: String,
    datafusion: String,
    /// Of the names and signatures of all functions.
    functions: String,
    lake: String,
    /// Tells the key of `pseudonym` from others; nothing can be learnt about it.
    pseudonym_key: Option<String>,
}

/// What a worker says when it is asked who it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Introduction {
    pub(super) fingerprint: Fingerprint,
    /// Different for every start of a worker: one that was started anew has lost its tasks.
    pub(super) instance: String,
}

impl Fingerprint {
    /// Of a node whose sessions have the functions of `state`.
    pub(crate) fn of(state: &SessionState, lake: Option<String>, pseudonym_key: Option<&str>) -> Self {
        Self {
            tithe: env!("CARGO_PKG_VERSION").to_owned(),
            datafusion: datafusion::DATAFUSION_VERSION.to_owned(),
            functions: functions(state),
            lake: lake.unwrap_or_default(),
            pseudonym_key: pseudonym_key.map(str::to_owned),
        }
    }

    /// As one short text.
    pub(super) fn digest(&self) -> String {
        let parts = [&self.tithe, &self.datafusion, &self.functions, &self.lake];
        hash(parts.into_iter().chain(&self.pseudonym_key))
    }

    /// How `worker` differs, in words that say what to do; `None` where it does not.
    pub(super) fn difference(&self, worker: &Self) -> Option<String> {
        if worker.tithe != self.tithe || worker.datafusion != self.datafusion {
            return Some(format!(
                "it is Tithe {} with DataFusion {}, and this is Tithe {} with DataFusion {}: install one version \
                 on all",
                worker.tithe, worker.datafusion, self.tithe, self.datafusion
            ));
        }
        if worker.functions != self.functions {
            return Some("it has other SQL functions: install one build on all".to_owned());
        }
        if worker.lake != self.lake {
            return Some(format!(
                "its lake is {}, and this one's is {}: start it with the same --lake",
                named(&worker.lake),
                named(&self.lake)
            ));
        }
        if worker.pseudonym_key != self.pseudonym_key {
            return Some(
                "it has another key for pseudonyms: start it with the same --pseudonym-key".to_owned(),
            );
        }
        None
    }
}

fn named(lake: &str) -> &str {
    if lake.is_empty() { "none" } else { lake }
}

fn functions(state: &SessionState) -> String {
    let scalar =
        state.scalar_functions().iter().map(|(name, f)| format!("scalar {name} {:?}", f.signature()));
    let aggregate =
        state.aggregate_functions().iter().map(|(name, f)| format!("aggregate {name} {:?}", f.signature()));
    let window =
        state.window_functions().iter().map(|(name, f)| format!("window {name} {:?}", f.signature()));
    let mut all: Vec<String> = scalar.chain(aggregate).chain(window).collect();
    all.sort();
    hash(all.iter())
}

fn hash<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let mut sha = Sha256::new();
    for text in texts {
        sha.update(text.len().to_be_bytes());
        sha.update(text);
    }
    sha.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Fingerprint {
        Fingerprint {
            tithe: "1.0.0".to_owned(),
            datafusion: "55".to_owned(),
            functions: "f".to_owned(),
            lake: "file:///lake/".to_owned(),
            pseudonym_key: None,
        }
    }

    #[test]
    fn every_difference_is_told_and_changes_the_digest() {
        let own = node();
        assert_eq!(own.difference(&node()), None);
        let others = [
            (Fingerprint { tithe: "2.0.0".to_owned(), ..node() }, "it is Tithe 2.0.0 with"),
            (Fingerprint { datafusion: "56".to_owned(), ..node() }, "DataFusion 56"),
            (Fingerprint { functions: "g".to_owned(), ..node() }, "other SQL functions"),
            (
                Fingerprint { lake: String::new(), ..node() },
                "its lake is none, and this one's is file:///lake/",
            ),
            (Fingerprint { pseudonym_key: Some("k".to_owned()), ..node() }, "another key for pseudonyms"),
        ];
        for (other, told) in others {
            let difference = own.difference(&other).unwrap();
            assert!(difference.contains(told), "{difference}");
            assert_ne!(own.digest(), other.digest());
        }
    }
}
