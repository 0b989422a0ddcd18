//! The columns of JSON lines files, found in a bounded sample of their lines.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use object_store::{ObjectMeta, ObjectStore};

use crate::error::{EngineError, Result};
use crate::ingest::json_lines::kind::{Kind, absorb_fields, arrow_fields};
use crate::ingest::json_lines::lines::Lines;

/// Lines of one file that are looked at; a field that occurs only later is no column.
const SAMPLED_LINES: u64 = 4096;
/// Bytes of one file that are looked at.
const SAMPLED_BYTES: usize = 8 * 1024 * 1024;

/// The fields seen in one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    fields: Vec<(String, Kind)>,
}

/// Samples `file`; lines that do not parse are left to the scan, unless no line does.
///
/// # Errors
/// When the file cannot be read, or none of the sampled lines is a JSON object.
pub(crate) async fn sample(store: &dyn ObjectStore, file: &ObjectMeta, path: &str) -> Result<Sample> {
    let mut lines = Lines::open(store, file, path).await?;
    let mut found = Sample::default();
    let mut first_bad = None;
    let mut objects = 0_u64;
    let (mut seen, mut bytes) = (0, 0);
    let mut line = Vec::new();
    while seen < SAMPLED_LINES && bytes < SAMPLED_BYTES {
        line.clear();
        let Some(number) = lines.next(&mut line).await? else { break };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        (seen, bytes) = (seen + 1, bytes + line.len());
        match serde_json::from_slice(&line) {
            Ok(Kind::Object(fields)) => {
                objects += 1;
                absorb_fields(&mut found.fields, fields);
            }
            Ok(_) => {
                first_bad.get_or_insert((number, "is not a JSON object".to_owned()));
            }
            Err(error) => {
                first_bad.get_or_insert((number, format!("is not JSON ({error})")));
            }
        }
    }
    match first_bad {
        Some((line, reason)) if objects == 0 => {
            Err(EngineError::Line { path: path.to_owned(), line, reason })
        }
        _ => Ok(found),
    }
}

/// The columns of a table with these samples, in the order in which they were first seen.
pub(crate) fn schema<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> SchemaRef {
    let mut fields = Vec::new();
    for sample in samples {
        absorb_fields(&mut fields, sample.fields.clone());
    }
    Arc::new(Schema::new(arrow_fields(&fields)))
}
