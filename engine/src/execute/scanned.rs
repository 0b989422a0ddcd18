//! How many bytes a query reads from the stores, counted where they are read.

use std::fmt::{Debug, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use url::Url;

use crate::error::EngineError;
use crate::options::{LimitName, QueryLimits};

/// What one query has read, and may read.
#[derive(Debug)]
pub(crate) struct Scanned {
    bytes: AtomicU64,
    most: u64,
}

impl Scanned {
    /// The counter of the query that runs in `state`, if it may not read as much as it likes.
    pub(super) fn of(state: &SessionState) -> Option<Arc<Self>> {
        state.config().get_extension::<Self>()
    }

    /// Refuses a query that has read too much.
    ///
    /// # Errors
    /// When it has.
    pub(super) fn check(&self) -> crate::error::Result<()> {
        self.check_more(self.bytes.load(Ordering::Acquire))
    }

    /// Refuses a query that is going to read `bytes`.
    ///
    /// # Errors
    /// When that is too much.
    pub(super) fn check_more(&self, bytes: u64) -> crate::error::Result<()> {
        match bytes > self.most {
            true => Err(EngineError::Limit { name: LimitName::ScannedBytes, most: self.most }),
            false => Ok(()),
        }
    }

    fn add(&self, bytes: u64) -> Result<()> {
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.check().map_err(|error| object_store::Error::Generic { store: "limit", source: Box::new(error) })
    }
}

/// `state`, whose query reads at most what `limits` allow: a read beyond that fails.
pub(crate) fn with_scan_limit(state: SessionState, limits: &QueryLimits) -> SessionState {
    let Some(most) = limits.scanned_bytes else { return state };
    let scanned = Arc::new(Scanned { bytes: AtomicU64::new(0), most });
    let shared = state.runtime_env();
    let runtime = RuntimeEnv {
        object_store_registry: Arc::new(Counting {
            stores: Arc::clone(&shared.object_store_registry),
            scanned: Arc::clone(&scanned),
        }),
        ..shared.as_ref().clone()
    };
    let mut state = SessionStateBuilder::new_from_existing(state).with_runtime_env(Arc::new(runtime)).build();
    state.config_mut().set_extension(scanned);
    state
}

/// The stores of the engine, each with the query's counter before it.
#[derive(Debug)]
struct Counting {
    stores: Arc<dyn ObjectStoreRegistry>,
    scanned: Arc<Scanned>,
}

impl ObjectStoreRegistry for Counting {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.stores.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> datafusion::common::Result<Arc<dyn ObjectStore>> {
        let store = self.stores.get_store(url)?;
        Ok(Arc::new(Counted { store, scanned: Arc::clone(&self.scanned) }))
    }
}

#[derive(Debug)]
struct Counted {
    store: Arc<dyn ObjectStore>,
    scanned: Arc<Scanned>,
}

impl Display for Counted {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(&self.store, f)
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[async_trait]
impl ObjectStore for Counted {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (head, bounded) = (options.head, matches!(options.range, Some(GetRange::Bounded(_))));
        let result = self.store.get_opts(location, options).await?;
        if head {
            return Ok(result);
        }
        let (meta, range, attributes) =
            (result.meta.clone(), result.range.clone(), result.attributes.clone());
        if bounded {
            self.scanned.add(range.end.saturating_sub(range.start))?;
            return Ok(result);
        }
        let scanned = Arc::clone(&self.scanned);
        // As they come: whoever stops early has not read the rest.
        let counted = result.into_stream().map(move |bytes| {
            let bytes = bytes?;
            scanned.add(length(&bytes))?;
            Ok(bytes)
        });
        Ok(GetResult { payload: GetResultPayload::Stream(counted.boxed()), meta, range, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.scanned.add(ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum())?;
        self.store.get_ranges(location, ranges).await
    }

    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.store.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, opts).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}
