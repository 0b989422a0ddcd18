//! A lake's folder as a table: the same way for every format, only the reader differs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::cache::cache_manager::CachedFileMetadata;
use datafusion::execution::cache::{Cache, SchemaFingerprint, TableScopedPath};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectMeta;

use crate::catalog::by_statistics;
use crate::catalog::listing::{LakeFile, Listing};
use crate::catalog::prepared::PreparedFiles;
use crate::catalog::shape::Shape;
use crate::catalog::{Lake, TableFormat};
use crate::error::EngineError;
use crate::ingest::RawSource;
use crate::ingest::json_lines::JsonLinesReader;
use crate::ingest::text::TextReader;
use crate::optimize::footer;
use crate::rollup::Rollup;
use crate::settings::Settings;

/// Footers whose statistics are read at once.
const READS: usize = 32;

/// One table of a lake.
#[derive(Debug)]
pub(crate) struct LakeTable {
    lake: Arc<Lake>,
    schema: String,
    table: String,
    listing: Arc<Listing>,
    /// The latest query for which `listing` was made or found to be as it was: whoever outlives it lists again.
    listed_for: AtomicU64,
    /// Whether files other than those of `listing` were found since.
    has_changed: AtomicBool,
    columns: TableSchema,
    rows: Option<u64>,
    /// The files that it has, by their names below the lake's root; all that are there if it says nothing.
    only: Option<Arc<BTreeSet<String>>>,
    /// From which aggregates of all of its rows may be answered.
    rollups: Vec<Arc<Rollup>>,
}

impl LakeTable {
    pub(crate) fn new(lake: Arc<Lake>, schema: &str, table: &str, shape: &Shape, listed_for: u64) -> Self {
        let columns = TableSchema::builder(Arc::clone(&shape.file_schema))
            .with_table_partition_cols(shape.partition_columns.clone())
            .build();
        let (schema, table) = (schema.to_owned(), table.to_owned());
        let (rows, listing) = (shape.rows, Arc::clone(&shape.listing));
        let (listed_for, has_changed) = (AtomicU64::new(listed_for), AtomicBool::new(false));
        let (only, rollups) = (None, Vec::new());
        Self { lake, schema, table, listing, listed_for, has_changed, columns, rows, only, rollups }
    }

    /// The same table with its rollups.
    pub(super) fn with_rollups(self, rollups: Vec<Arc<Rollup>>) -> Self {
        Self { rollups, ..self }
    }

    /// The same table with some of its files alone.
    pub(crate) fn with_only(self, files: Arc<BTreeSet<String>>) -> Self {
        Self { only: Some(files), rows: None, rollups: Vec::new(), ..self }
    }

    /// The same table with these of its files alone, as they are now.
    pub(crate) fn with_files(&self, files: Vec<LakeFile>) -> Self {
        let names = files.iter().map(|file| self.lake.below_root(&file.meta.location)).collect();
        Self {
            lake: Arc::clone(&self.lake),
            schema: self.schema.clone(),
            table: self.table.clone(),
            listing: Arc::new(Listing {
                format: self.listing.format,
                partition_columns: self.listing.partition_columns.clone(),
                files,
                rollups: self.listing.rollups.clone(),
            }),
            listed_for: AtomicU64::new(self.lake.query_number()),
            has_changed: AtomicBool::new(false),
            columns: self.columns.clone(),
            rows: None,
            only: Some(Arc::new(names)),
            rollups: Vec::new(),
        }
    }

    /// Its rollups.
    pub(crate) fn rollups(&self) -> &[Arc<Rollup>] {
        &self.rollups
    }

    /// Whether `rollup` is one of its.
    pub(crate) fn has_rollup(&self, rollup: &Arc<Rollup>) -> bool {
        self.rollups.iter().any(|own| Arc::ptr_eq(own, rollup))
    }

    /// What lay in the folders of its rollups when the query was planned.
    pub(crate) fn rollup_files(&self) -> &[ObjectMeta] {
        &self.listing.rollups
    }

    /// The files that it had when the query was planned.
    pub(crate) fn listed_files(&self) -> &[LakeFile] {
        &self.listing.files
    }

    /// How many rows these files had, where their footers told it.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// The number of values, NULL among them, of a partition column in these files; `None` for any other column.
    pub(crate) fn partition_values(&self, column: &str) -> Option<usize> {
        let place = self.listing.partition_columns.iter().position(|name| name == column)?;
        let values: BTreeSet<_> =
            self.listing.files.iter().filter_map(|file| file.partition_values.get(place)).collect();
        Some(values.len())
    }

    /// The footer of one of its files, if it is at hand.
    pub(crate) fn footer(&self, file: &LakeFile) -> Option<Arc<ParquetMetaData>> {
        let footers = self.lake.state().runtime_env().cache_manager.get_file_metadata_cache();
        footer(footers.as_ref(), &file.meta)
    }

    pub(crate) fn lake(&self) -> &Arc<Lake> {
        &self.lake
    }

    /// Its schema and name in the lake.
    pub(crate) fn name(&self) -> (&str, &str) {
        (&self.schema, &self.table)
    }

    /// The files that a scan reads, of those that are there now.
    fn read<'f>(&self, there: &'f Listing) -> impl Iterator<Item = &'f LakeFile> {
        there.files.iter().filter(|file| match &self.only {
            Some(only) => only.contains(&self.lake.below_root(&file.meta.location)),
            None => true,
        })
    }

    /// All files as they are now, if another query has begun since they were listed.
    pub(crate) async fn listing_now(&self) -> Result<Arc<Listing>> {
        let number = self.lake.query_number();
        if number == self.listed_for.load(Ordering::Acquire) {
            return Ok(Arc::clone(&self.listing));
        }
        let now = self.lake.listing(&self.schema, &self.table).await?;
        if now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &self.listing) || *now == self.listing) {
            self.listed_for.fetch_max(number, Ordering::AcqRel);
            return Ok(Arc::clone(&self.listing));
        }
        self.has_changed.store(true, Ordering::Release);
        let changed = || EngineError::Stale { what: format!("the table {}.{}", self.schema, self.table) };
        let now = now.ok_or_else(changed)?;
        if now.format != self.listing.format || now.partition_columns != self.listing.partition_columns {
            return Err(changed().into());
        }
        let shape = self.lake.shape(&self.schema, &self.table, &now).await?;
        let same_columns = shape.file_schema.fields() == self.columns.file_schema().fields()
            && shape.partition_columns.iter().eq(self.columns.table_partition_cols().iter());
        if !same_columns {
            return Err(changed().into());
        }
        Ok(Arc::clone(&shape.listing))
    }

    /// Whether somebody who looked found other files, of it or of its rollups, than it was made with.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed.load(Ordering::Acquire)
    }

    /// Whether a session sees some of its files alone.
    pub(crate) fn is_part(&self) -> bool {
        self.only.is_some()
    }

    fn partition_names(&self) -> Vec<&str> {
        self.listing.partition_columns.iter().map(String::as_str).collect()
    }

    /// The files whose partition values satisfy `filters`.
    fn prune(
        &self,
        state: &dyn Session,
        all: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        let names = self.partition_names();
        let on_partitions = filters.iter().filter(|filter| is_on_partitions(&names, filter)).cloned();
        let Some(filter) = conjunction(on_partitions) else { return Ok(all) };
        if all.is_empty() {
            return Ok(all);
        }
        let fields = self.columns.table_partition_cols().clone();
        let schema = DFSchema::from_unqualified_fields(fields, std::collections::HashMap::new())?;
        let arrays = (0..names.len())
            .map(|i| {
                ScalarValue::iter_to_array(
                    all.iter().filter_map(|file| file.partition_values.get(i).cloned()),
                )
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(all.len()));
        let values = RecordBatch::try_new_with_options(Arc::clone(schema.inner()), arrays, &options)?;
        let keep = state.create_physical_expr(filter, &schema)?.evaluate(&values)?.into_array(all.len())?;
        let keep = keep.as_boolean();
        Ok(all
            .into_iter()
            .enumerate()
            .filter(|(i, _)| keep.is_valid(*i) && keep.value(*i))
            .map(|(_, file)| file)
            .collect())
    }

    /// Row counts and value ranges from the footers, which DataFusion's cache keeps.
    async fn with_statistics(
        &self,
        state: &dyn Session,
        format: &ParquetFormat,
        files: Vec<PartitionedFile>,
    ) -> Result<Vec<PartitionedFile>> {
        let file_schema = self.columns.file_schema();
        let fingerprint = Arc::new(SchemaFingerprint::from_schema(file_schema));
        let cache = state.runtime_env().cache_manager.get_file_statistic_cache();
        let mut reads = Vec::with_capacity(files.len());
        for file in files {
            reads.push(self.statistics_of(state, format, file, &fingerprint, cache.as_deref()).boxed());
        }
        futures::stream::iter(reads).buffered(READS).try_collect().await
    }

    async fn statistics_of(
        &self,
        state: &dyn Session,
        format: &ParquetFormat,
        file: PartitionedFile,
        fingerprint: &Arc<SchemaFingerprint>,
        cache: Option<&dyn Cache<TableScopedPath, CachedFileMetadata>>,
    ) -> Result<PartitionedFile> {
        // A partition value of NULL has no place in DataFusion's file statistics.
        if file.partition_values.iter().any(ScalarValue::is_null) {
            return Ok(file);
        }
        let meta = file.object_meta.clone();
        let key = TableScopedPath { table: None, path: meta.location.clone() };
        if let Some(known) = cache.and_then(|cache| cache.get(&key))
            && known.meta.e_tag == meta.e_tag
            && known.is_valid_for(&meta, fingerprint)
        {
            return Ok(file.with_statistics(known.statistics));
        }
        let file_schema = Arc::clone(self.columns.file_schema());
        let statistics = format.infer_stats(state, self.lake.store(), file_schema, &meta).await?;
        let statistics = Arc::new(statistics);
        if let Some(cache) = cache {
            let entry = CachedFileMetadata::new(meta, Arc::clone(fingerprint), Arc::clone(&statistics), None);
            cache.put(&key, entry);
        }
        Ok(file.with_statistics(statistics))
    }

    /// `files` with the statistics of all together, kept for the next scan; `None` where they are not all that are there.
    fn keep_prepared(
        &self,
        state: &dyn Session,
        there: &Arc<Listing>,
        files: &[PartitionedFile],
    ) -> Result<Option<Arc<PreparedFiles>>> {
        if self.only.is_some() || files.len() < there.files.len() {
            return Ok(None);
        }
        let most = state.runtime_env().cache_manager.get_file_statistic_cache_limit();
        let prepared = PreparedFiles::new(there, files.to_vec(), self.summary(files)?);
        self.lake.prepared.keep(&self.full_name(), Arc::clone(&prepared), most);
        Ok(Some(prepared))
    }

    fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    fn no_rows(&self, projection: Option<&Vec<usize>>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = datafusion::common::project_schema(self.columns.table_schema(), projection)?;
        Ok(Arc::new(EmptyExec::new(schema)))
    }

    fn summary(&self, files: &[PartitionedFile]) -> Result<Statistics> {
        let known: Option<Vec<&Statistics>> = files.iter().map(|file| file.statistics.as_deref()).collect();
        match known {
            Some(all) => Statistics::try_merge_iter(all, self.columns.table_schema()),
            None => {
                let mut unknown = Statistics::new_unknown(self.columns.table_schema());
                if self.listing.format == TableFormat::Text {
                    unknown.num_rows = Precision::Exact(files.len());
                }
                Ok(unknown)
            }
        }
    }

    fn raw_source(&self, state: &dyn Session) -> RawSource {
        let root = self.lake.root().clone();
        match self.listing.format {
            TableFormat::Text => RawSource::new(Arc::new(TextReader::new(root)), self.columns.clone()),
            _ => {
                let skip = Settings::of(state.config_options()).skip_bad_lines;
                RawSource::new(Arc::new(JsonLinesReader::new(root, skip)), self.columns.clone())
            }
        }
    }
}

fn is_on_partitions(names: &[&str], filter: &Expr) -> bool {
    !names.is_empty() && expr_applicable_for_cols(names, filter)
}

fn partitioned(file: &LakeFile) -> PartitionedFile {
    let values = file.partition_values.iter().cloned().map(ScalarValue::Utf8).collect();
    PartitionedFile::new_from_meta(file.meta.clone()).with_partition_values(values)
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.columns.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let names = self.partition_names();
        Ok(filters
            .iter()
            .map(|filter| match self.listing.format {
                _ if is_on_partitions(&names, filter) => TableProviderFilterPushDown::Exact,
                TableFormat::Parquet => TableProviderFilterPushDown::Inexact,
                _ => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let there = self.listing_now().await?;
        let parquet = (self.listing.format == TableFormat::Parquet)
            .then(|| ParquetFormat::default().with_options(state.default_table_options().parquet));
        let with_statistics = parquet.as_ref().filter(|_format| state.config().collect_statistics());
        let mut prepared = match (with_statistics, &self.only) {
            (Some(_format), None) => self.lake.prepared.get(&self.full_name(), &there),
            _ => None,
        };
        let all = match &prepared {
            Some(prepared) => prepared.files.clone(),
            None => self.read(&there).map(partitioned).collect(),
        };
        let mut files = self.prune(state, all, filters)?;
        if files.is_empty() {
            return self.no_rows(projection);
        }
        if let Some(format) = with_statistics {
            if prepared.is_none() {
                files = self.with_statistics(state, format, files).await?;
                prepared = self.keep_prepared(state, &there, &files)?;
            }
            files = by_statistics::prune(state, self.columns.table_schema(), files, filters);
            let columns = self.columns.file_schema();
            files = self.lake.dictionaries.prune(state, self.lake.store(), columns, files, filters).await;
        }
        if files.is_empty() {
            return self.no_rows(projection);
        }
        let statistics = match prepared.filter(|prepared| prepared.files.len() == files.len()) {
            Some(all) => all.statistics.clone(),
            None => self.summary(&files)?,
        };
        let source: Arc<dyn FileSource> = match &parquet {
            Some(format) => format.file_source(self.columns.clone()),
            None => Arc::new(self.raw_source(state)),
        };
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let scan = FileScanConfigBuilder::new(self.lake.store_url().clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        match parquet {
            Some(format) => format.create_physical_plan(state, scan).await,
            None => Ok(DataSourceExec::from_data_source(scan)),
        }
    }

    async fn insert_into(
        &self,
        _state: &dyn Session,
        _input: Arc<dyn ExecutionPlan>,
        _op: datafusion::logical_expr::dml::InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(EngineError::NotAllowed {
            what: format!("writing to {}.{}", self.schema, self.table),
            reason: "it is written by a statement of its own, INSERT INTO … SELECT, which EXPLAIN ANALYZE does not run"
                .to_owned(),
        }
        .into())
    }
}
