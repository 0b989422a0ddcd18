//! Text and HTML files as a source of rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileOpenFuture;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::catalog::name_of;
use crate::error::EngineError;
use crate::ingest::text::encoding::{Decoded, decode};
use crate::ingest::{RawReader, Work};

/// Larger files keep their row, with NULL as content.
const LARGEST: u64 = 64 * 1024 * 1024;
const CONTENT: [&str; 3] = ["content", "encoding", "decode_errors"];

/// The columns of a folder of text files.
///
/// `path` is below the lake's root. `content`, `encoding` and `decode_errors` are NULL for a file over 64 MiB.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("path", DataType::Utf8, false),
        Field::new("modified", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("size", DataType::Int64, false),
        Field::new("content", DataType::Utf8View, true),
        Field::new("encoding", DataType::Utf8, true),
        Field::new("decode_errors", DataType::Boolean, true),
    ]))
}

/// Reads one row from each file.
#[derive(Debug)]
pub(crate) struct TextReader {
    root: Path,
}

impl TextReader {
    /// A reader that names files below `root`.
    pub(crate) fn new(root: Path) -> Self {
        Self { root }
    }
}

impl RawReader for TextReader {
    fn name(&self) -> &'static str {
        "text"
    }

    fn open(&self, work: Work, file: PartitionedFile) -> FileOpenFuture {
        let path = name_of(&file.object_meta.location, &self.root);
        Box::pin(async move {
            let batch = row(work.store.as_ref(), &file.object_meta, &path, &work.schema).await?;
            Ok(futures::stream::once(async move { Ok(batch) }).boxed())
        })
    }
}

async fn row(
    store: &dyn ObjectStore,
    file: &ObjectMeta,
    path: &str,
    schema: &SchemaRef,
) -> Result<RecordBatch, DataFusionError> {
    let wanted = schema.fields().iter().any(|field| CONTENT.contains(&field.name().as_str()));
    let decoded: Option<Decoded> = if wanted && file.size <= LARGEST {
        let bytes = store.get(&file.location).await.map_err(EngineError::from)?.bytes().await;
        Some(decode(&bytes.map_err(EngineError::from)?))
    } else {
        None
    };
    let size = i64::try_from(file.size)
        .map_err(|error| EngineError::File { path: path.to_owned(), reason: error.to_string() })?;
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "path" => Arc::new(StringArray::from(vec![path])),
                "modified" => {
                    let modified = file.last_modified.timestamp_micros();
                    Arc::new(TimestampMicrosecondArray::from(vec![modified]).with_timezone("UTC"))
                }
                "size" => Arc::new(Int64Array::from(vec![size])),
                "content" => {
                    let text = decoded.as_ref().map(|decoded| decoded.text.as_str());
                    Arc::new(StringViewArray::from(vec![text]))
                }
                "encoding" => {
                    Arc::new(StringArray::from(vec![decoded.as_ref().map(|decoded| decoded.encoding)]))
                }
                _ => Arc::new(BooleanArray::from(vec![decoded.as_ref().map(|decoded| decoded.errors)])),
            }
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
