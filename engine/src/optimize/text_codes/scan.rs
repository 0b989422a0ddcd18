//! A scan whose text columns are read as codes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;

use super::file_facts::FileFacts;
use super::operators::{Coded, projected, with_texts};
use crate::execute::source_like;

/// The scan with the columns at the places `wanted` of its rows read as codes, as far as all of its files have them.
pub(super) fn coded_scan(
    scan: &FileScanConfig,
    wanted: &BTreeSet<usize>,
    facts: &FileFacts,
) -> Result<Option<Coded>> {
    let Some(source) = scan.file_source().downcast_ref::<ParquetSource>() else { return Ok(None) };
    let Some(projection) = source.projection() else { return Ok(None) };
    if scan.preserve_order || !scan.output_ordering.is_empty() || scan.output_partitioning.is_some() {
        return Ok(None);
    }
    let table = source.table_schema();
    let mut columns: BTreeSet<usize> = projection
        .iter()
        .enumerate()
        .filter(|(place, _)| wanted.contains(place))
        .filter_map(|(_, projected)| projected.expr.downcast_ref::<Column>())
        .map(Column::index)
        .filter(|index| is_view(table.file_schema(), *index))
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let mut files = Vec::with_capacity(scan.file_groups.len());
    for group in &scan.file_groups {
        let known = group.iter().map(|file| Some((file, facts.of(file)?))).collect::<Option<Vec<_>>>();
        let Some(known) = known else { return Ok(None) };
        files.push(known);
    }
    // Small files, as they come in between two large ones, follow the others.
    let all_few = files.iter().flatten().all(|(_, facts)| facts.few);
    for (_, facts) in files.iter().flatten() {
        let names = if facts.few && !all_few { &facts.texts } else { &facts.coded };
        columns.retain(|index| names.contains(table.file_schema().field(*index).name()));
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> =
        columns.iter().map(|index| table.file_schema().field(*index).name().as_str()).collect();
    let mut read_as: Option<(SchemaRef, SchemaRef)> = None;
    let mut groups = Vec::with_capacity(files.len());
    for group in files {
        let mut read = Vec::with_capacity(group.len());
        for (file, facts) in group {
            let schema = match &read_as {
                Some((of, schema)) if Arc::ptr_eq(of, &facts.schema) => Arc::clone(schema),
                _ => {
                    let schema = as_read(&facts.schema, table.file_schema(), &names);
                    read_as = Some((facts.schema, Arc::clone(&schema)));
                    schema
                }
            };
            read.push(file_with_codes(file, schema, &columns));
        }
        groups.push(FileGroup::new(read));
    }
    let coded_table = TableSchema::builder(with_code_types(table.file_schema(), &names))
        .with_table_partition_cols(table.table_partition_cols().clone())
        .build();
    let (exprs, places) = projected(projection.iter(), &columns)?;

    let filter = source.filter().map(|filter| with_texts(&filter, &columns)).transpose()?;
    let coded = source_like(source, coded_table, filter, &ProjectionExprs::new(exprs))?;
    let Some(coded) = coded else { return Ok(None) };
    let scan = FileScanConfigBuilder::from(scan.clone()).with_source(coded).with_file_groups(groups).build();
    Ok(Some(Coded { plan: DataSourceExec::from_data_source(scan), columns: places }))
}

fn is_view(schema: &Schema, index: usize) -> bool {
    schema.fields().get(index).is_some_and(|field| *field.data_type() == DataType::Utf8View)
}

fn code_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// `schema` with the columns `names` as codes.
pub(crate) fn with_code_types(schema: &Schema, names: &[&str]) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match names.contains(&field.name().as_str()) {
        true => retyped(field, code_type()),
        false => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// How a file with `schema` is read: what the table gives as views is read as such.
fn as_read(schema: &Schema, table: &Schema, names: &[&str]) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match names.contains(&field.name().as_str()) {
        true => retyped(field, code_type()),
        false => match (field.data_type(), table.field_with_name(field.name()).map(Field::data_type)) {
            (DataType::Utf8 | DataType::LargeUtf8, Ok(DataType::Utf8View)) => {
                retyped(field, DataType::Utf8View)
            }
            (DataType::Binary | DataType::LargeBinary, Ok(DataType::BinaryView)) => {
                retyped(field, DataType::BinaryView)
            }
            _ => Arc::clone(field),
        },
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

fn retyped(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

fn file_with_codes(file: &PartitionedFile, schema: SchemaRef, columns: &BTreeSet<usize>) -> PartitionedFile {
    let mut file = file.clone();
    file.arrow_schema = Some(schema);
    // Ranges of texts are not ranges of codes.
    file.statistics = file.statistics.map(|known| Arc::new(without_ranges(&known, columns)));
    file
}

fn without_ranges(known: &Statistics, columns: &BTreeSet<usize>) -> Statistics {
    let mut known = known.clone();
    for column in columns {
        if let Some(column) = known.column_statistics.get_mut(*column) {
            let null_count: Precision<usize> = column.null_count;
            *column = ColumnStatistics { null_count, ..ColumnStatistics::new_unknown() };
        }
    }
    known
}
