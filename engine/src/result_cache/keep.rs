//! Gathers an answer while it is delivered.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, future};

use super::{ResultCache, ResultKey};
use crate::execute::QueryReport;

/// Batches may share what they hold, and count it each.
const SHARED: usize = 4;

/// Where an answer goes once it is complete.
pub(crate) struct Keeper {
    pub(crate) cache: Arc<ResultCache>,
    pub(crate) key: ResultKey,
    /// An answer from which something was left out is not kept: nobody would be told of it the next time.
    pub(crate) report: QueryReport,
}

/// The same rows; when the last one was delivered and nothing was left out, they are kept. One that fails or is not read
/// to its end is not.
pub(crate) fn keep(
    rows: BoxStream<'static, Result<RecordBatch>>,
    keeper: Keeper,
) -> BoxStream<'static, Result<RecordBatch>> {
    let most = keeper.cache.most_bytes().saturating_mul(SHARED);
    let mut gathered = Some((keeper, Vec::new(), 0));
    let ended = stream::once(future::ready(None));
    rows.map(Some)
        .chain(ended)
        .filter_map(move |next| {
            match &next {
                Some(Ok(batch)) => {
                    if let Some((_, batches, bytes)) = &mut gathered {
                        *bytes += batch.get_array_memory_size();
                        batches.push(batch.clone());
                    }
                    gathered = gathered.take().filter(|(_, _, bytes)| *bytes <= most);
                }
                Some(Err(_)) => gathered = None,
                None => {
                    if let Some((Keeper { cache, key, report }, batches, _)) = gathered.take()
                        && report.lines_skipped() == 0
                        && report.values_nulled() == 0
                    {
                        cache.put(key, &batches);
                    }
                }
            }
            future::ready(next)
        })
        .boxed()
}
