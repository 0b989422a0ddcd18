//! Files that are left out because, by the ranges of their columns, none of their rows satisfies a filter.
//!
//! DataFusion finds out the same when it opens a file, one by one. Left out before, they cost nothing: of a year of days a
//! query about one opens one file.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::{DFSchema, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

/// `files`, whose statistics are of the columns of `schema`, without those that have no row for `filters`. What is not known
/// well enough stays.
pub(super) fn prune(
    state: &dyn Session,
    schema: &SchemaRef,
    files: Vec<PartitionedFile>,
    filters: &[Expr],
) -> Vec<PartitionedFile> {
    let known: Vec<Arc<Statistics>> = files.iter().filter_map(|file| file.statistics.clone()).collect();
    if known.is_empty() {
        return files;
    }
    let keep = match may_hold(state, schema, known, filters) {
        Ok(Some(keep)) => keep,
        Ok(None) => return files,
        Err(error) => {
            tracing::debug!("files are not told apart by their statistics: {error}");
            return files;
        }
    };
    let mut keep = keep.into_iter();
    let kept = files.into_iter().filter(|file| file.statistics.is_none() || keep.next().unwrap_or(true));
    kept.collect()
}

/// For each of `known`, whether a row may satisfy `filters`; `None` if these do not tell.
fn may_hold(
    state: &dyn Session,
    schema: &SchemaRef,
    known: Vec<Arc<Statistics>>,
    filters: &[Expr],
) -> Result<Option<Vec<bool>>> {
    let Some(filter) = conjunction(filters.iter().filter(|filter| !filter.is_volatile()).cloned()) else {
        return Ok(None);
    };
    let columns = DFSchema::try_from(Arc::clone(schema))?;
    let filter = state.create_physical_expr(filter, &columns)?;
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Some(predicate) = builder.build(filter) else { return Ok(None) };
    predicate.prune(&PrunableStatistics::new(known, Arc::clone(schema))).map(Some)
}
