//! How many values a column of a table may have, as its footers tell without being asked for rows.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};
use datafusion::parquet::basic::Type;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::parquet::file::statistics::Statistics;

use crate::catalog::LakeTable;
use crate::optimize::text_codes::only_codes;
use crate::policy::Barrier;

/// Footers that are looked at, spread over the table.
const SAMPLE: usize = 256;
/// Compressed bytes of a dictionary for each of its values, at least and at most; a text has its length before it.
const FEWEST_BYTES: u64 = 2;
const FEWEST_BYTES_OF_TEXT: u64 = 4;
const MOST_BYTES: u64 = 64;
/// A writer gives up a dictionary that grows beyond a mebibyte, or so.
const GIVEN_UP: u64 = (1 << 20) / MOST_BYTES;

/// What is known of a column's values. The numbers are estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnFacts {
    pub(super) at_least: u64,
    pub(super) at_most: Option<u64>,
    /// The least and the largest, of whole numbers, dates and times; all rows' only if `whole`.
    range: Option<(i64, i64)>,
    whole: bool,
    /// Values of `range` in a day.
    of_day: Option<i64>,
}

impl ColumnFacts {
    /// How many days lie between the first and the last of its dates or times.
    pub(super) fn days(&self) -> Option<u64> {
        let (first, last) = self.range?;
        u64::try_from(last.checked_sub(first)? / self.of_day?).ok()?.checked_add(1)
    }

    /// Whether every one of its dates is a timestamp in nanoseconds, and so is the first day of its year.
    pub(super) fn is_near(&self) -> bool {
        const YEARS_1700_TO_2200: std::ops::RangeInclusive<i64> = -98_615..=84_006;
        let within =
            |(first, last)| YEARS_1700_TO_2200.contains(&first) && YEARS_1700_TO_2200.contains(&last);
        self.whole && self.of_day == Some(1) && self.range.is_some_and(within)
    }
}

/// The table and the column that the one at `place` of `plan` is.
///
/// # Errors
/// When a scan is of no table.
pub(super) fn origin(plan: &LogicalPlan, place: usize) -> Result<Option<(Arc<LakeTable>, String)>> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let any: Arc<dyn Any + Send + Sync> = source_as_provider(&scan.source)?;
            let table = any.downcast::<LakeTable>().ok();
            let field = scan.projected_schema.fields().get(place);
            Ok(table.zip(field).map(|(table, field)| (table, field.name().clone())))
        }
        LogicalPlan::SubqueryAlias(alias) => origin(&alias.input, place),
        LogicalPlan::Filter(filter) => origin(&filter.input, place),
        LogicalPlan::Projection(projection) => {
            let Some(Expr::Column(column)) = projection.expr.get(place).map(|expr| expr.clone().unalias())
            else {
                return Ok(None);
            };
            match projection.input.schema().maybe_index_of_column(&column) {
                Some(place) => origin(&projection.input, place),
                None => Ok(None),
            }
        }
        LogicalPlan::Join(join) if matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti) => {
            origin(&join.left, place)
        }
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Barrier>() {
            Some(border) => origin(&border.input, place),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What is known of the column with this name; `None` where a footer is not at hand.
pub(super) fn column_facts(table: &LakeTable, name: &str) -> Option<ColumnFacts> {
    if let Some(values) = table.partition_values(name) {
        let values = u64::try_from(values).ok()?;
        return Some(ColumnFacts {
            at_least: values,
            at_most: Some(values),
            range: None,
            whole: false,
            of_day: None,
        });
    }
    let kind = table.schema().field_with_name(name).ok()?.data_type().clone();
    let files = table.listed_files();
    let step = files.len().div_ceil(SAMPLE).max(1);
    let mut seen = Seen::default();
    for file in files.iter().step_by(step) {
        let footer = table.footer(file)?;
        // A file without the column has NULL there.
        let Some(place) = place_of(&footer, name) else { continue };
        for group in footer.row_groups().iter().filter(|group| group.num_rows() > 0) {
            seen.add(group.column(place));
        }
    }
    let of_day = of_day(&kind);
    let counts = kind.is_signed_integer() || kind.is_decimal() || of_day.is_some();
    let range = seen.range.filter(|_| counts && !seen.without_range);
    let by_range =
        range.and_then(|(first, last)| u64::try_from(last.checked_sub(first)?).ok()?.checked_add(1));
    let by_codes = (!seen.without_codes).then(|| {
        let intervals = u64::try_from(seen.intervals.len()).unwrap_or(u64::MAX).max(1);
        seen.most_codes.saturating_mul(intervals)
    });
    let at_most = match kind {
        DataType::Boolean => Some(2),
        _ => [by_range, by_codes].into_iter().flatten().min(),
    };
    Some(ColumnFacts {
        at_least: seen.at_least.min(at_most.unwrap_or(u64::MAX)),
        // And NULL.
        at_most: at_most.map(|values| values.saturating_add(1)),
        range,
        whole: step == 1,
        of_day,
    })
}

fn of_day(kind: &DataType) -> Option<i64> {
    let seconds = 24 * 60 * 60;
    match kind {
        DataType::Date32 => Some(1),
        DataType::Timestamp(TimeUnit::Second, _) => Some(seconds),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Some(seconds * 1_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(seconds * 1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(seconds * 1_000_000_000),
        _ => None,
    }
}

/// What the row groups looked at so far tell.
#[derive(Debug, Default)]
struct Seen {
    at_least: u64,
    /// Of one row group.
    most_codes: u64,
    /// The least and the largest value of a row group: where all have the same, they have the same values.
    intervals: BTreeSet<(Vec<u8>, Vec<u8>)>,
    without_codes: bool,
    range: Option<(i64, i64)>,
    without_range: bool,
}

impl Seen {
    fn add(&mut self, chunk: &ColumnChunkMetaData) {
        let statistics = chunk.statistics();
        let nulls =
            statistics.and_then(Statistics::null_count_opt).and_then(|nulls| i64::try_from(nulls).ok());
        if nulls == Some(chunk.num_values()) {
            return;
        }
        match range_of(statistics) {
            Some((first, last)) => {
                let known = self.range.unwrap_or((first, last));
                self.range = Some((known.0.min(first), known.1.max(last)));
            }
            None => self.without_range = true,
        }
        let interval = statistics.and_then(|statistics| {
            Some((statistics.min_bytes_opt()?.to_vec(), statistics.max_bytes_opt()?.to_vec()))
        });
        // Whose interval is not known has values of its own.
        let own = || (self.intervals.len().to_be_bytes().to_vec(), Vec::new());
        let interval = interval.unwrap_or_else(own);
        self.intervals.insert(interval);
        if chunk.column_type() == Type::BOOLEAN {
            return;
        }
        let dictionary = chunk.dictionary_page_offset();
        let bytes = dictionary.and_then(|from| u64::try_from(chunk.data_page_offset() - from).ok());
        match bytes {
            Some(bytes) if only_codes(chunk) => {
                self.at_least = self.at_least.max(bytes / MOST_BYTES);
                let fewest = match chunk.column_type() {
                    Type::BYTE_ARRAY => FEWEST_BYTES_OF_TEXT,
                    _ => FEWEST_BYTES,
                };
                self.most_codes = self.most_codes.max((bytes / fewest).max(1));
            }
            bytes => {
                self.without_codes = true;
                self.at_least = self.at_least.max(bytes.map_or(1, |_| GIVEN_UP));
            }
        }
    }
}

fn range_of(statistics: Option<&Statistics>) -> Option<(i64, i64)> {
    match statistics? {
        Statistics::Int32(of) => Some((i64::from(*of.min_opt()?), i64::from(*of.max_opt()?))),
        Statistics::Int64(of) => Some((*of.min_opt()?, *of.max_opt()?)),
        _ => None,
    }
}

/// The place among the leaves of a column that is one itself.
fn place_of(footer: &ParquetMetaData, column: &str) -> Option<usize> {
    let columns = footer.file_metadata().schema_descr().columns();
    columns.iter().position(|leaf| matches!(leaf.path().parts(), [name] if name == column))
}
