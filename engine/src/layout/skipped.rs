//! What a query does not have to look at: row groups whose statistics tell that no row satisfies its conditions.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, UInt64Array};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;

/// A table's footers, each with the values of the folder's columns.
pub(super) struct Groups {
    pub(super) files: Vec<(Arc<ParquetMetaData>, Vec<Option<String>>)>,
    /// The columns as queries see them, those of the folders last.
    pub(super) columns: SchemaRef,
    /// How many columns there are within the files.
    pub(super) within: usize,
}

impl Groups {
    /// Row groups in all.
    pub(super) fn count(&self) -> usize {
        self.files.iter().map(|(footer, _)| footer.num_row_groups()).sum()
    }

    /// Row groups that a scan with these conditions looks at.
    pub(super) fn looked_at(&self, conditions: &[Expr], state: &SessionState) -> usize {
        // What cannot be told skips nothing.
        self.kept(conditions, state).unwrap_or_else(|| self.count())
    }

    fn kept(&self, conditions: &[Expr], state: &SessionState) -> Option<usize> {
        let condition = conjunction(conditions.iter().cloned())?;
        let schema = DFSchema::try_from(self.columns.as_ref().clone()).ok()?;
        let condition = state.create_physical_expr(condition, &schema).ok()?;
        let predicate = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.columns))
            .try_build(condition)
            .ok()?;
        Some(predicate.prune(self).ok()?.into_iter().filter(|kept| *kept).count())
    }

    fn statistics(
        &self,
        column: &Column,
        of: impl Fn(&StatisticsConverter<'_>, &ParquetMetaData) -> Option<ArrayRef>,
    ) -> Option<ArrayRef> {
        let place = self.columns.index_of(column.name()).ok()?;
        let mut arrays = Vec::with_capacity(self.files.len());
        for (footer, values) in &self.files {
            if let Some(folder) = place.checked_sub(self.within) {
                let value = values.get(folder)?.as_deref();
                let same = vec![value; footer.num_row_groups()];
                arrays.push(Arc::new(StringArray::from(same)) as ArrayRef);
                continue;
            }
            let leaves = footer.file_metadata().schema_descr();
            let converter = StatisticsConverter::try_new(column.name(), &self.columns, leaves).ok()?;
            arrays.push(of(&converter, footer)?);
        }
        let arrays: Vec<&dyn arrow::array::Array> = arrays.iter().map(AsRef::as_ref).collect();
        concat(&arrays).ok()
    }
}

impl PruningStatistics for Groups {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.statistics(column, |converter, footer| converter.row_group_mins(footer.row_groups()).ok())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.statistics(column, |converter, footer| converter.row_group_maxes(footer.row_groups()).ok())
    }

    fn num_containers(&self) -> usize {
        self.count()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let place = self.columns.index_of(column.name()).ok()?;
        if place >= self.within {
            return None;
        }
        self.statistics(column, |converter, footer| {
            Some(Arc::new(converter.row_group_null_counts(footer.row_groups()).ok()?))
        })
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let groups = self.files.iter().flat_map(|(footer, _)| footer.row_groups());
        let rows = groups.map(|group| u64::try_from(group.num_rows()).unwrap_or_default());
        Some(Arc::new(UInt64Array::from_iter_values(rows)))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
