//! Rows as one Parquet file in memory.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use futures::{Stream, StreamExt};
use object_store::PutPayload;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};
use std::sync::Arc;

use crate::error::Result;

/// A row group is closed at this many bytes, so that readers can share the work.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// A whole Parquet file that is not stored yet.
#[derive(Debug, Clone)]
pub(crate) struct ParquetObject {
    /// The file.
    pub(crate) payload: PutPayload,
    /// Its rows.
    pub(crate) rows: u64,
    /// Its bytes.
    pub(crate) size: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// The rows of `batches`, all in `schema`, as one Parquet file. The same batches give the same bytes.
///
/// The file counts against `pool` while it is made.
///
/// # Errors
/// Those of `batches`; and when the pool has no room for the file.
pub(crate) async fn encode(
    schema: SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch, DataFusionError>> + Send,
    pool: &Arc<dyn MemoryPool>,
) -> Result<ParquetObject> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("tithe ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let reservation = MemoryConsumer::new("a Parquet file that is written").register(pool);
    let mut writer =
        ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(DataFusionError::from)?;
    let mut batches = std::pin::pin!(batches);
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        rows += u64::try_from(batch.num_rows()).unwrap_or_default();
        writer.write(&batch).map_err(DataFusionError::from)?;
        if writer.in_progress_size() > ROW_GROUP_BYTES {
            writer.flush().map_err(DataFusionError::from)?;
        }
        reservation.try_resize(writer.memory_size() + writer.bytes_written())?;
    }
    let bytes = Bytes::from(writer.into_inner().map_err(DataFusionError::from)?);
    Ok(ParquetObject {
        rows,
        size: u64::try_from(bytes.len()).unwrap_or_default(),
        sha256: hexadecimal(&Sha256::digest(&bytes)),
        payload: PutPayload::from(bytes),
    })
}

/// The digits of a digest.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};

    use super::*;
    use crate::error::{EngineError, ErrorKind};
    use crate::execute::memory_pool;

    fn batch(from: i64, rows: i64) -> RecordBatch {
        let numbers = Arc::new(Int64Array::from_iter_values(from..from + rows)) as ArrayRef;
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    #[tokio::test]
    async fn the_same_rows_are_the_same_bytes_however_they_are_cut() {
        let pool = memory_pool(64 << 20, 2);
        let mut digests = Vec::new();
        for cut in [vec![batch(0, 1000)], vec![batch(0, 1), batch(1, 998), batch(999, 1)]] {
            let batches = futures::stream::iter(cut.into_iter().map(Ok));
            let object = encode(batch(0, 0).schema(), batches, &pool).await.unwrap();
            assert_eq!((object.rows, object.size), (1000, object.payload.content_length() as u64));
            digests.push(object.sha256);
        }
        assert_eq!(digests[0], digests[1]);
        assert_eq!(pool.reserved(), 0);
    }

    #[tokio::test]
    async fn a_file_larger_than_the_memory_for_queries_is_refused() {
        let batches = futures::stream::iter((0..64).map(|part| Ok(batch(part * 100_000, 100_000))));
        let error = encode(batch(0, 0).schema(), batches, &memory_pool(1 << 20, 2)).await.unwrap_err();
        assert_eq!(EngineError::kind(&error), ErrorKind::Limit, "{error}");
    }
}
