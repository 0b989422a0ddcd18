//! JSON lines files as a source of batches.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileOpenFuture;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::metrics::{Count, MetricBuilder};
use futures::StreamExt;
use object_store::path::Path;

use crate::catalog::name_of;
use crate::ingest::json_lines::blocks::Block;
use crate::ingest::json_lines::decode::LineDecoder;
use crate::ingest::json_lines::lines::Lines;
use crate::ingest::{RawReader, Work};

/// Metric: lines left out because they are not JSON objects.
pub(crate) const LINES_SKIPPED: &str = "lines_skipped";
/// Metric: values that did not fit their column and were read as NULL.
pub(crate) const VALUES_NULLED: &str = "values_nulled";

/// Reads JSON lines.
#[derive(Debug)]
pub(crate) struct JsonLinesReader {
    root: Path,
    skip_bad_lines: bool,
}

impl JsonLinesReader {
    /// A reader that names files below `root`.
    pub(crate) fn new(root: Path, skip_bad_lines: bool) -> Self {
        Self { root, skip_bad_lines }
    }
}

struct Scan {
    lines: Lines,
    decoder: LineDecoder,
    path: String,
    batch_size: usize,
    lines_skipped: Count,
    values_nulled: Count,
}

impl RawReader for JsonLinesReader {
    fn name(&self) -> &'static str {
        "json_lines"
    }

    fn open(&self, work: Work, file: PartitionedFile) -> FileOpenFuture {
        let path = name_of(&file.object_meta.location, &self.root);
        let decoder = LineDecoder::new(work.schema, self.skip_bad_lines);
        let count = |name| MetricBuilder::new(&work.metrics).counter(name, work.partition);
        let (lines_skipped, values_nulled) = (count(LINES_SKIPPED), count(VALUES_NULLED));
        Box::pin(async move {
            let lines = Lines::open(work.store.as_ref(), &file.object_meta, &path).await?;
            let batch_size = work.batch_size;
            let scan = Scan { lines, decoder, path, batch_size, lines_skipped, values_nulled };
            Ok(futures::stream::try_unfold(scan, |mut scan| async move {
                let block = Block::read(&mut scan.lines, scan.batch_size).await?;
                if block.is_empty() {
                    return Ok(None);
                }
                let decoded = scan.decoder.decode(&block, &scan.path)?;
                scan.lines_skipped.add(decoded.lines_skipped);
                scan.values_nulled.add(decoded.values_nulled);
                Ok::<_, DataFusionError>(Some((decoded.batch, scan)))
            })
            .boxed())
        })
    }
}
