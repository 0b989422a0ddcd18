//! A session's way to bring a rollup up to date.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use crate::catalog::{LakeFile, Listing, below};
use crate::error::{EngineError, Result};
use crate::job::{CommitLock, JobLog};
use crate::plan::sql_literal::identifier as quoted;
use crate::rollup::create::Target;
use crate::rollup::manifest::{FileVersion, MANIFEST, Retired, Segment};
use crate::rollup::store::{Rollup, read};
use crate::session::Session;
use crate::write::{Put, WriteStore, encode};

/// A folder's segments are made one when it has so many, and another would come.
const SEGMENTS: usize = 8;
/// Segments that count no more stay so long for the queries that read them.
const GRACE: TimeDelta = TimeDelta::seconds(60);
/// What no manifest names was left by whoever was killed, if it is older.
const LATE: TimeDelta = TimeDelta::hours(1);

/// How the names of segments end: other readers of the lake take whatever ends in `.parquet` for data.
const SEGMENT: &str = ".segment";

/// What a refresh did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollupReport {
    /// Folders of the table whose aggregates were made.
    pub folders: usize,
    /// Files of the table that were read.
    pub files: usize,
    /// Files that the rollup counted for already.
    pub there: usize,
    /// Rows of the rollup now.
    pub rows: u64,
    /// Bytes of the rollup now.
    pub bytes: u64,
    /// Segments that count no more.
    pub retired: usize,
}

/// What is told while a rollup is refreshed.
pub trait RollupProgress: Send + Sync {
    /// So many files in so many folders are to be read.
    fn begins(&self, folders: usize, files: usize);
    /// The aggregates of a folder were made, so many rows.
    fn done(&self, folder: &str, rows: u64);
}

/// Nobody listens.
impl RollupProgress for () {
    fn begins(&self, _folders: usize, _files: usize) {}
    fn done(&self, _folder: &str, _rows: u64) {}
}

impl Session {
    /// Makes the aggregates of files that the rollup `name` of `schema.table` does not count for: those that are new or
    /// changed since it was last refreshed. Killed, what is done counts when it is called again.
    ///
    /// # Errors
    /// When there is no such rollup, or it does not fit the table any more; the principal may not write or does not see the
    /// whole table; another process refreshes it; or the store refuses.
    pub async fn refresh_rollup(
        &self,
        schema: &str,
        table: &str,
        name: &str,
        progress: &dyn RollupProgress,
    ) -> Result<RollupReport> {
        let target = self.target(schema, table, name).await?;
        let store = WriteStore::of(target.lake);
        target.manifest(&store).await?;
        let log = JobLog::new(store.clone(), target.folder.path().clone(), name);
        let Some(_lock) = CommitLock::exclusive(&log).await? else { return Err(target.busy()) };
        // Read under the lock.
        let meta = target.manifest(&store).await?;
        Refresh::begin(&target, store, meta).await?.run(progress).await
    }
}

/// A rollup that is being refreshed.
struct Refresh<'a> {
    target: &'a Target<'a>,
    store: WriteStore,
    /// The manifest as it lies.
    meta: ObjectMeta,
    /// With the manifest as it will.
    rollup: Rollup,
    listing: Arc<Listing>,
}

impl<'a> Refresh<'a> {
    async fn begin(target: &'a Target<'a>, store: WriteStore, meta: ObjectMeta) -> Result<Self> {
        let Target { session, lake, schema, table, folder } = target;
        let columns = session.table_schema(schema, table).await?;
        let rollup =
            read(&meta, &folder.name, &folder.table_folder, &columns, lake.store(), lake.state()).await?;
        let Some(listing) = lake.listing(schema, table).await? else {
            return Err(EngineError::Stale { what: format!("the table {}", folder.table) });
        };
        Ok(Self { target, store, meta, rollup, listing })
    }

    async fn run(mut self, progress: &dyn RollupProgress) -> Result<RollupReport> {
        self.remove_old().await?;
        let now = self.rollup.coverage(&self.listing.files, &self.listing.rollups);
        let there = self.listing.files.len() - now.rest.len();
        let mut work = self.by_folder(now.rest);
        let mut counting: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
        for (segment, _) in now.segments {
            let within = segment.of.first().map(|file| file.folder().to_owned()).unwrap_or_default();
            counting.entry(within).or_default().push(segment);
        }
        // A folder to which a little was added many times is made anew as a whole.
        for (within, files) in &mut work {
            if counting.get(within).is_some_and(|segments| segments.len() >= SEGMENTS) {
                counting.remove(within);
                *files = self.by_folder(self.listing.files.clone()).remove(within).unwrap_or_default();
            }
        }
        let kept: Vec<Segment> = counting.into_values().flatten().collect();
        let retired = self.retire_but(&kept);
        let mut report = RollupReport { there, retired, folders: work.len(), ..RollupReport::default() };
        progress.begins(work.len(), work.values().map(Vec::len).sum());
        for (within, files) in work {
            let segment = self.make(&files).await?;
            report.files += files.len();
            progress.done(&within, segment.rows);
            self.rollup.manifest.segments.push(segment);
            // What is done counts from now on, whatever comes.
            self.put().await?;
        }
        if report.folders == 0 && retired > 0 {
            self.put().await?;
        }
        report.rows = self.rollup.manifest.segments.iter().map(|segment| segment.rows).sum();
        report.bytes = self.rollup.manifest.segments.iter().map(|segment| segment.size).sum();
        Ok(report)
    }

    /// `files` by the folders that they lie in.
    fn by_folder(&self, files: Vec<LakeFile>) -> BTreeMap<String, Vec<LakeFile>> {
        let mut folders: BTreeMap<String, Vec<LakeFile>> = BTreeMap::new();
        for file in files {
            let version = FileVersion::of(&file.meta, &self.target.folder.table_folder);
            folders.entry(version.folder().to_owned()).or_default().push(file);
        }
        folders
    }

    /// Keeps these segments alone; returns how many there were besides.
    fn retire_but(&mut self, kept: &[Segment]) -> usize {
        let since = Utc::now().timestamp();
        let (kept, gone): (Vec<Segment>, Vec<Segment>) = std::mem::take(&mut self.rollup.manifest.segments)
            .into_iter()
            .partition(|segment| kept.contains(segment));
        self.rollup.manifest.segments = kept;
        let count = gone.len();
        self.rollup
            .manifest
            .retired
            .extend(gone.into_iter().map(|segment| Retired { file: segment.file, since }));
        count
    }

    /// Makes the aggregates of `files`.
    async fn make(&self, files: &[LakeFile]) -> Result<Segment> {
        let Target { session, lake, schema, table, folder } = self.target;
        let names: Vec<String> = files.iter().map(|file| lake.below_root(&file.meta.location)).collect();
        let session = session.narrowed(&folder.table, &names)?;
        let query = session.query(&self.statement(schema, table)).await?;
        let rows_schema = query.schema();
        let rows = query.execute().await?;
        let object = encode(rows_schema, rows, session.engine().memory_pool()).await?;
        let id = Uuid::new_v4().simple().to_string();
        let file = format!("segment-{}{SEGMENT}", id.get(..16).unwrap_or(&id));
        let path = folder.file(&file);
        if self.store.create(&path, object.payload).await? == Put::Forestalled {
            return Err(self.target.busy());
        }
        let of = files.iter().map(|file| FileVersion::of(&file.meta, &folder.table_folder)).collect();
        Ok(Segment { file, size: object.size, rows: object.rows, of })
    }

    fn statement(&self, schema: &str, table: &str) -> String {
        let columns = self.rollup.manifest.keys.iter().chain(&self.rollup.manifest.measures);
        let columns: Vec<String> = columns.map(|text| format!("{text} AS {}", quoted(text))).collect();
        let from = format!("SELECT {} FROM {}.{}", columns.join(", "), quoted(schema), quoted(table));
        match self.rollup.manifest.keys.len() {
            0 => from,
            count => {
                let places: Vec<String> = (1..=count).map(|place| place.to_string()).collect();
                let places = places.join(", ");
                format!("{from} GROUP BY {places} ORDER BY {places}")
            }
        }
    }

    /// Puts the manifest in the place of the one that was read or put last.
    async fn put(&mut self) -> Result<()> {
        match self.store.replace(&self.meta, self.rollup.manifest.encoded()?).await? {
            Put::Done => {
                self.meta = self.store.objects().head(&self.meta.location).await?;
                Ok(())
            }
            Put::Forestalled => Err(self.target.busy()),
        }
    }

    /// Removes segments that have counted for nothing long enough, and what others left that were killed.
    async fn remove_old(&mut self) -> Result<()> {
        let now = Utc::now();
        let (old, young): (Vec<Retired>, Vec<Retired>) = std::mem::take(&mut self.rollup.manifest.retired)
            .into_iter()
            .partition(|retired| now.timestamp() - retired.since > GRACE.num_seconds());
        self.rollup.manifest.retired = young;
        for retired in old {
            self.store.remove(&self.target.folder.file(&retired.file)).await?;
        }
        let own = self.target.folder.path();
        let named = |name: &str| {
            self.rollup.manifest.segments.iter().any(|segment| segment.file == name)
                || self.rollup.manifest.retired.iter().any(|retired| retired.file == name)
        };
        for meta in &self.listing.rollups {
            let name = below(&meta.location, own);
            let is_ours = meta.location.prefix_matches(own) && name != MANIFEST && name.ends_with(SEGMENT);
            if is_ours && !named(&name) && now - meta.last_modified > LATE {
                self.store.remove(&meta.location).await?;
            }
        }
        Ok(())
    }
}

impl Target<'_> {
    fn busy(&self) -> EngineError {
        EngineError::Write {
            table: self.folder.table.clone(),
            reason: format!(
                "another process refreshes its rollup {}: try again when it is done",
                self.folder.name
            ),
        }
    }
}
