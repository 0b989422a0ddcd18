//! Row groups that are left out because no text in their dictionaries satisfies a filter.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    DefaultParquetFileReaderFactory, ParquetAccessPlan, ParquetFileReaderFactory, RowGroupAccess,
};
use datafusion::logical_expr::Expr;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask, parquet_to_arrow_schema};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::optimize::{footer, holds_codes, with_code_types};

/// Bytes of texts that are kept.
const MOST_BYTES: u64 = 32 << 20;
/// Row groups that are looked at before all are: where texts are in every one of them, nothing can be left out.
const SAMPLE: usize = 8;
/// Dictionaries read at once.
const READS: usize = 16;

/// The dictionaries read so far, as long as their files stay what they are.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    known: Cache<(Path, usize, String), (ObjectMeta, ArrayRef)>,
}

impl Default for Dictionaries {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(MOST_BYTES).weigher(
            |(path, _, column): &(Path, usize, String), (_, texts): &(ObjectMeta, ArrayRef)| {
                let bytes = texts.get_array_memory_size() + path.as_ref().len() + column.len();
                u32::try_from(bytes).unwrap_or(u32::MAX)
            },
        );
        Self { known: known.build() }
    }
}

/// A row group of a file, and what is asked of its texts.
struct Asked<'a> {
    file: usize,
    row_group: usize,
    filter: &'a TextFilter,
}

/// A filter of one text column.
struct TextFilter {
    column: String,
    expr: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
}

impl Dictionaries {
    /// `files` without those, and without those of their row groups, in which a filter of one text column holds for no
    /// text. What is not known well enough stays.
    pub(crate) async fn prune(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        columns: &Schema,
        files: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> Vec<PartitionedFile> {
        let filters: Vec<TextFilter> =
            filters.iter().filter_map(|filter| text_filter(state, columns, filter)).collect();
        if filters.is_empty() {
            return files;
        }
        let footers: Vec<_> = {
            let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
            files.iter().map(|file| footer(cache.as_ref(), &file.object_meta)).collect()
        };
        let mut asked = Vec::new();
        for (file, footer) in footers.iter().enumerate() {
            let Some(footer) = footer else { continue };
            for filter in &filters {
                let Some(place) = place_of(footer, &filter.column) else { continue };
                let groups = footer.row_groups().iter().enumerate();
                let groups = groups.filter(|(_, group)| holds_codes(group.column(place)));
                asked.extend(groups.map(|(row_group, _)| Asked { file, row_group, filter }));
            }
        }
        let few = asked.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<&Asked<'_>> = asked.iter().step_by(few).collect();
        if self.left_out(store, &files, &footers, sample).await.is_empty() {
            return files;
        }
        let left_out = self.left_out(store, &files, &footers, asked.iter().collect()).await;
        let mut plans: Vec<Option<ParquetAccessPlan>> = vec![None; files.len()];
        for (file, row_group) in left_out {
            let groups = footers[file].as_ref().map_or(0, |footer| footer.num_row_groups());
            plans[file]
                .get_or_insert_with(|| ParquetAccessPlan::new_all(groups))
                .set(row_group, RowGroupAccess::Skip);
        }
        let pruned = files.into_iter().zip(plans).filter_map(|(file, plan)| match plan {
            None => Some(file),
            Some(plan) if plan.row_group_index_iter().next().is_none() => None,
            Some(plan) => Some(file.with_extension(plan)),
        });
        pruned.collect()
    }

    /// The files and row groups in which what is asked holds for no text.
    async fn left_out(
        &self,
        store: &Arc<dyn ObjectStore>,
        files: &[PartitionedFile],
        footers: &[Option<Arc<ParquetMetaData>>],
        asked: Vec<&Asked<'_>>,
    ) -> Vec<(usize, usize)> {
        let mut looks = Vec::with_capacity(asked.len());
        for asked in asked {
            let Some(footer) = &footers[asked.file] else { continue };
            let file = &files[asked.file];
            let look = async move {
                let texts = self.texts(store, file, footer, asked).await?;
                holds_for_none(asked.filter, &texts).then_some((asked.file, asked.row_group))
            };
            looks.push(look.boxed());
        }
        stream::iter(looks).buffered(READS).filter_map(std::future::ready).collect().await
    }

    /// The texts of a dictionary, and NULL if the row group may have it. `None` if they cannot be read: whoever reads
    /// the rows will say why.
    async fn texts(
        &self,
        store: &Arc<dyn ObjectStore>,
        file: &PartitionedFile,
        footer: &Arc<ParquetMetaData>,
        asked: &Asked<'_>,
    ) -> Option<ArrayRef> {
        let meta = &file.object_meta;
        let key = (meta.location.clone(), asked.row_group, asked.filter.column.clone());
        if let Some((of, texts)) = self.known.get(&key)
            && of == *meta
        {
            return Some(texts);
        }
        let texts = read(store, file, footer, asked).await.ok().flatten()?;
        self.known.insert(key, (meta.clone(), Arc::clone(&texts)));
        Some(texts)
    }
}

fn text_filter(state: &dyn Session, columns: &Schema, filter: &Expr) -> Option<TextFilter> {
    let mut names = filter.column_refs().into_iter();
    let (Some(column), None) = (names.next(), names.next()) else { return None };
    let field = columns.field_with_name(&column.name).ok()?;
    if *field.data_type() != DataType::Utf8View || filter.is_volatile() {
        return None;
    }
    let schema = Schema::new(vec![field.clone().with_nullable(true)]);
    let schema = DFSchema::try_from(schema).ok()?;
    let expr = state.create_physical_expr(filter.clone(), &schema).ok()?;
    Some(TextFilter { column: column.name.clone(), expr, schema: Arc::clone(schema.inner()) })
}

/// The place among the leaves of a column that is one itself.
fn place_of(footer: &ParquetMetaData, column: &str) -> Option<usize> {
    let columns = footer.file_metadata().schema_descr().columns();
    columns.iter().position(|leaf| matches!(leaf.path().parts(), [name] if name == column))
}

/// One row is asked for; its dictionary comes with it.
async fn read(
    store: &Arc<dyn ObjectStore>,
    file: &PartitionedFile,
    footer: &Arc<ParquetMetaData>,
    asked: &Asked<'_>,
) -> Result<Option<ArrayRef>> {
    let column = &asked.filter.column;
    let of_file = footer.file_metadata();
    let schema = parquet_to_arrow_schema(of_file.schema_descr(), of_file.key_value_metadata())?;
    let schema = with_code_types(&schema, &[column]);
    let options = ArrowReaderOptions::new().with_schema(schema);
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer), options)?;
    let factory = DefaultParquetFileReaderFactory::new(Arc::clone(store));
    let reader: Box<dyn AsyncFileReader> =
        factory.create_reader(0, file.clone(), None, &ExecutionPlanMetricsSet::new())?;
    let mask = ProjectionMask::columns(of_file.schema_descr(), [column.as_str()]);
    let rows = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
        .with_projection(mask)
        .with_row_groups(vec![asked.row_group])
        .with_limit(1)
        .build()?;
    let rows: Vec<RecordBatch> = rows.try_collect().await?;
    let Some(codes) = rows.first().and_then(|rows| rows.column(0).as_dictionary_opt::<Int32Type>()) else {
        return Ok(None);
    };
    let texts = cast(codes.values(), &DataType::Utf8View)?;
    let chunk = place_of(footer, column).map(|place| footer.row_group(asked.row_group).column(place));
    let nulls = chunk.and_then(|chunk| chunk.statistics()?.null_count_opt());
    Ok(Some(match nulls {
        Some(0) => texts,
        _ => concat(&[&texts, &new_null_array(&DataType::Utf8View, 1)])?,
    }))
}

fn holds_for_none(filter: &TextFilter, texts: &ArrayRef) -> bool {
    let holds = RecordBatch::try_new(Arc::clone(&filter.schema), vec![Arc::clone(texts)])
        .map_err(Into::into)
        .and_then(|batch| filter.expr.evaluate(&batch)?.into_array(texts.len()));
    // What fails on a text that no row may have will fail, or not, on the rows.
    holds.is_ok_and(|holds| holds.as_boolean_opt().is_some_and(|holds| holds.true_count() == 0))
}
