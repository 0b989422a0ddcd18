//! How each column is written: every encoding and compression that fits is tried on a sample.
//!
//! What counts is how long a reader waits: the time to decode the sample, the time to read its bytes at
//! [`BYTES_PER_SECOND`], and [`TEXT`] for each text that it meets: those of a dictionary once, others at every row. A form takes the place of one tried before it only if it saves [`WORTH_IT`] of that, so that
//! the measurement's noise alone does not move a column from the usual forms, which are tried first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use bytes::Bytes;
use datafusion::common::DataFusionError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, Type, ZstdLevel};
use parquet::file::metadata::{KeyValue, ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::error::Result;
use crate::layout::report::ColumnLayout;
use crate::layout::source::MARK;
use crate::optimize::holds_codes;

/// How fast bytes come to a reader: a disk is faster, an object store slower.
const BYTES_PER_SECOND: f64 = 200e6;
const WORTH_IT: f64 = 0.03;
/// Seconds that a query has to do with a text before it knows which one it is: a hash and a comparison.
const TEXT: f64 = 20e-9;
/// A sample is decoded so often; the fastest counts.
const RUNS: usize = 3;
/// Rows that are decoded at once: what a batch is elsewhere.
const BATCH: usize = 8192;
/// Rows between two entries of the page index.
const PAGE_ROWS: usize = 8192;
/// Of a bloom filter.
const FALSE_POSITIVES: f64 = 0.01;
/// Below this share of different values statistics and dictionaries tell as much as a bloom filter does.
const MANY_VALUES: f64 = 0.05;
/// Below this share of different values a text keeps its dictionary: searches and groups read its codes, never the texts.
const REPEATED_TEXT: f64 = 0.125;
/// Longer values are cut in statistics.
const STATISTICS_BYTES: usize = 64;

/// How one column is written.
#[derive(Debug, Clone)]
struct Form {
    /// `None` for a dictionary, plain where that grows too large.
    encoding: Option<Encoding>,
    compression: Compression,
    bloom_filter: bool,
    bytes: usize,
    decode: Duration,
}

/// How the columns of a table are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Forms {
    columns: BTreeMap<String, Form>,
    order: Vec<String>,
}

/// What is written with the columns.
pub(super) struct Setting<'a> {
    /// How the files were laid out.
    pub(super) mark: &'a str,
    /// The columns that the rows are sorted by.
    pub(super) sorted_by: &'a [String],
    pub(super) row_group_rows: usize,
}

impl Forms {
    /// Tries every column of `sample`. Of `bloom_filters`, columns get one that have many values.
    ///
    /// # Errors
    /// When a column cannot be written.
    pub(super) fn of(sample: &RecordBatch, bloom_filters: &BTreeSet<String>) -> Result<Self> {
        let mut forms = Self::default();
        for (field, values) in sample.schema_ref().fields().iter().zip(sample.columns()) {
            let column = RecordBatch::try_new(
                Arc::new(Schema::new(vec![Arc::clone(field)])),
                vec![Arc::clone(values)],
            )
            .map_err(DataFusionError::from)?;
            let mut form = best(&column)?;
            form.bloom_filter = bloom_filters.contains(field.name()) && has_many_values(values);
            forms.order.push(field.name().clone());
            forms.columns.insert(field.name().clone(), form);
        }
        Ok(forms)
    }

    /// How files with the leaves of `columns` are written.
    pub(super) fn properties(&self, columns: &Schema, setting: &Setting<'_>) -> Result<WriterProperties> {
        let descriptor =
            parquet::arrow::ArrowSchemaConverter::new().convert(columns).map_err(DataFusionError::from)?;
        let mut properties = usual()
            .set_max_row_group_row_count(Some(setting.row_group_rows))
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_write_batch_size(1024)
            .set_statistics_truncate_length(Some(STATISTICS_BYTES))
            .set_column_index_truncate_length(Some(STATISTICS_BYTES))
            .set_key_value_metadata(Some(vec![KeyValue::new(MARK.to_owned(), setting.mark.to_owned())]));
        for leaf in descriptor.columns() {
            let path = leaf.path().clone();
            let Some(form) = path.parts().first().and_then(|column| self.columns.get(column)) else {
                continue;
            };
            properties = form.apply(properties, &path);
            if form.bloom_filter {
                properties = properties
                    .set_column_bloom_filter_enabled(path.clone(), true)
                    .set_column_bloom_filter_fpp(path, FALSE_POSITIVES);
            }
        }
        let leaf = |column: &String| {
            let found = descriptor.columns().iter().position(|leaf| leaf.path().parts() == [column.clone()]);
            i32::try_from(found?).ok()
        };
        let sorted: Option<Vec<SortingColumn>> = setting
            .sorted_by
            .iter()
            .map(|column| {
                Some(SortingColumn { column_idx: leaf(column)?, descending: false, nulls_first: false })
            })
            .collect();
        Ok(properties.set_sorting_columns(sorted.filter(|sorted| !sorted.is_empty())).build())
    }

    /// In words.
    pub(super) fn told(&self) -> Vec<ColumnLayout> {
        let all = self.order.iter().filter_map(|column| Some((column, self.columns.get(column)?)));
        all.map(|(column, form)| ColumnLayout {
            column: column.clone(),
            encoding: form.encoding.map_or("DICTIONARY".to_owned(), |encoding| encoding.to_string()),
            compression: match form.compression {
                Compression::ZSTD(level) => format!("ZSTD {}", level.compression_level()),
                other => other.to_string(),
            },
            bloom_filter: form.bloom_filter,
            sample_bytes: form.bytes,
            sample_decode: form.decode,
        })
        .collect()
    }
}

impl Form {
    fn apply(&self, properties: WriterPropertiesBuilder, path: &ColumnPath) -> WriterPropertiesBuilder {
        let properties = properties.set_column_compression(path.clone(), self.compression);
        match self.encoding {
            None => properties.set_column_dictionary_enabled(path.clone(), true),
            Some(encoding) => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), encoding),
        }
    }
}

fn usual() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(concat!("tithe ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Page)
}

/// The form of the one column of `column` for which a reader waits least.
fn best(column: &RecordBatch) -> Result<Form> {
    let descriptor = parquet::arrow::ArrowSchemaConverter::new()
        .convert(column.schema_ref())
        .map_err(DataFusionError::from)?;
    let paths: Vec<ColumnPath> = descriptor.columns().iter().map(|leaf| leaf.path().clone()).collect();
    // Counted once for all forms, and only of texts and bytes.
    let different = match descriptor.columns() {
        [leaf] if leaf.physical_type() == Type::BYTE_ARRAY => different(column.column(0)),
        _ => None,
    };
    let repeats = different
        .is_some_and(|different| different as f64 <= REPEATED_TEXT * column.num_rows().max(1) as f64);
    // Leaves of nested columns are written alike, in what all types take.
    let encodings = match descriptor.columns() {
        [leaf] if leaf.max_rep_level() == 0 && repeats => vec![None],
        [leaf] if leaf.max_rep_level() == 0 => encodings(leaf.physical_type()),
        _ => vec![None, Some(Encoding::PLAIN)],
    };
    let mut found: Option<(Form, f64)> = None;
    for encoding in encodings {
        for compression in compressions()? {
            let mut form =
                Form { encoding, compression, bloom_filter: false, bytes: 0, decode: Duration::ZERO };
            let texts;
            (form.bytes, form.decode, texts) = measure(column, &form, &paths, different)?;
            let wait = waiting(form.bytes, form.decode, texts);
            if found.as_ref().is_none_or(|(_, least)| wait < least * (1.0 - WORTH_IT)) {
                found = Some((form, wait));
            }
        }
    }
    found
        .map(|(form, _)| form)
        .ok_or_else(|| crate::error::EngineError::Defect { reason: "no encoding was tried".to_owned() })
}

/// Seconds that a reader waits.
fn waiting(bytes: usize, decode: Duration, texts: usize) -> f64 {
    let read = bytes as f64 / BYTES_PER_SECOND;
    decode.as_secs_f64() + read + texts as f64 * TEXT
}

/// Those that readers understand everywhere, the usual ones first.
fn encodings(physical: Type) -> Vec<Option<Encoding>> {
    let further = match physical {
        Type::BOOLEAN => return vec![Some(Encoding::PLAIN)],
        Type::INT32 | Type::INT64 => Some(Encoding::DELTA_BINARY_PACKED),
        Type::BYTE_ARRAY => Some(Encoding::DELTA_BYTE_ARRAY),
        Type::FLOAT | Type::DOUBLE => Some(Encoding::BYTE_STREAM_SPLIT),
        Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY => None,
    };
    let mut all = vec![None, Some(Encoding::PLAIN)];
    all.extend(further.map(Some));
    if physical == Type::BYTE_ARRAY {
        all.push(Some(Encoding::DELTA_LENGTH_BYTE_ARRAY));
    }
    all
}

fn compressions() -> Result<[Compression; 5]> {
    let zstd = |level| ZstdLevel::try_new(level).map(Compression::ZSTD).map_err(DataFusionError::from);
    Ok([zstd(1)?, Compression::SNAPPY, Compression::UNCOMPRESSED, zstd(3)?, zstd(9)?])
}

/// The bytes of the column in this form, without what is written beside it, the time to decode them, and the texts that a
/// query has to do with.
fn measure(
    column: &RecordBatch,
    form: &Form,
    paths: &[ColumnPath],
    different: Option<usize>,
) -> Result<(usize, Duration, usize)> {
    let mut properties = usual().set_max_row_group_row_count(Some(column.num_rows().max(1)));
    for path in paths {
        properties = form.apply(properties, path);
    }
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, column.schema(), Some(properties.build()))
        .map_err(DataFusionError::from)?;
    writer.write(column).map_err(DataFusionError::from)?;
    writer.close().map_err(DataFusionError::from)?;
    let file = Bytes::from(file);
    // As it is read: what a writer gives back does not tell the encodings of pages.
    let read = ParquetRecordBatchReaderBuilder::try_new(file.clone()).map_err(DataFusionError::from)?;
    let footer = Arc::clone(read.metadata());
    let bytes = footer.row_groups().iter().map(|group| group.compressed_size()).sum::<i64>();
    let texts = texts(&footer, column.num_rows(), different);
    let mut least = Duration::MAX;
    for _ in 0..RUNS {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone())
            .and_then(|reader| reader.with_batch_size(BATCH).build())
            .map_err(DataFusionError::from)?;
        let began = Instant::now();
        for batch in reader {
            batch.map_err(DataFusionError::from)?;
        }
        least = least.min(began.elapsed());
    }
    Ok((usize::try_from(bytes).unwrap_or_default(), least, texts))
}

/// The texts of a file of one column of so many rows that a query has to do with: where they are read as codes, those that are
/// different.
fn texts(footer: &ParquetMetaData, rows: usize, different: Option<usize>) -> usize {
    let chunks = || footer.row_groups().iter().flat_map(|group| group.columns());
    match footer.file_metadata().schema_descr().columns() {
        [leaf] if leaf.physical_type() != Type::BYTE_ARRAY => 0,
        [_] if chunks().all(holds_codes) => different.unwrap_or(rows),
        [_] => rows,
        // Those within lists and structs are not read as codes however they are written.
        _ => 0,
    }
}

fn has_many_values(values: &ArrayRef) -> bool {
    share_of_different(values).is_some_and(|share| share >= MANY_VALUES)
}

/// Different values over all; `None` when they cannot be compared.
fn share_of_different(values: &ArrayRef) -> Option<f64> {
    Some(different(values)? as f64 / values.len().max(1) as f64)
}

fn different(values: &ArrayRef) -> Option<usize> {
    let field = SortField::new(values.data_type().clone());
    let rows = RowConverter::new(vec![field])
        .and_then(|rows| rows.convert_columns(std::slice::from_ref(values)))
        .ok()?;
    let different: BTreeSet<_> = rows.iter().collect();
    Some(different.len())
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;

    fn sample() -> RecordBatch {
        let rows = 20_000_i64;
        RecordBatch::try_from_iter([
            ("rising", Arc::new(Int64Array::from_iter_values((0..rows).map(|n| n * 7919))) as ArrayRef),
            ("few", Arc::new(StringArray::from_iter_values((0..rows).map(|n| format!("縣{}", n / 5000))))),
            ("yes", Arc::new(BooleanArray::from_iter((0..rows).map(|n| Some(n % 3 == 0))))),
            ("real", Arc::new(Float64Array::from_iter_values((0..rows).map(|n| (n as f64).sqrt())))),
        ])
        .unwrap()
    }

    #[test]
    fn every_form_gives_the_same_rows_and_the_waiting_time_decides() {
        let sample = sample();
        let bloom: BTreeSet<String> = ["rising".to_owned(), "few".to_owned()].into();
        let forms = Forms::of(&sample, &bloom).unwrap();
        assert_eq!(forms.order, ["rising", "few", "yes", "real"]);
        assert!(forms.columns["rising"].bloom_filter, "every row has another value");
        assert_eq!(forms.columns["few"].encoding, None, "texts that repeat keep their dictionary");
        assert!(!forms.columns["few"].bloom_filter, "a dictionary of four values tells as much");
        let setting = Setting { mark: "m", sorted_by: &["rising".to_owned()], row_group_rows: 5000 };
        let properties = forms.properties(sample.schema_ref(), &setting).unwrap();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, sample.schema(), Some(properties)).unwrap();
        writer.write(&sample).unwrap();
        let footer = writer.close().unwrap();
        assert_eq!(footer.num_row_groups(), 4);
        assert!(footer.row_group(0).column(0).bloom_filter_offset().is_some());
        assert!(footer.row_group(0).column(1).bloom_filter_offset().is_none());
        assert_eq!(footer.row_group(0).sorting_columns().unwrap().len(), 1);
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
        let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, sample.num_rows());
    }

    #[test]
    fn less_is_waited_for_fewer_bytes_and_for_faster_ones() {
        let second = Duration::from_secs(1);
        assert!(waiting(0, second, 0) < waiting(1, second, 0));
        assert!(waiting(200_000_000, second, 0) > waiting(0, second * 3 / 2, 0));
        assert!(waiting(200_000_000, second, 0) < waiting(0, second * 5 / 2, 0));
        assert!(waiting(0, second, 1) > waiting(0, second, 0));
    }

    #[test]
    fn of_texts_that_are_read_as_codes_a_query_has_to_do_with_the_different_ones_alone() {
        let rows = 100_000_u32;
        let texts_of = |different: u32, encoding| {
            let texts = (0..rows).map(|n| format!("{:08}", n.wrapping_mul(7919) % different));
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
            let column = RecordBatch::try_from_iter([("text", texts)]).unwrap();
            let form = Form {
                encoding,
                compression: Compression::UNCOMPRESSED,
                bloom_filter: false,
                bytes: 0,
                decode: Duration::ZERO,
            };
            let different = super::different(column.column(0));
            measure(&column, &form, &[ColumnPath::from("text")], different).unwrap().2
        };
        assert_eq!(texts_of(5_000, None), 5_000);
        assert_eq!(texts_of(5_000, Some(Encoding::DELTA_LENGTH_BYTE_ARRAY)), 100_000);
        // Its dictionary is larger than codes are worth.
        assert_eq!(texts_of(50_000, None), 100_000);
    }
}
