//! Joins whose held side would not fit into memory.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// A side may take this part of the memory of all queries.
const SHARE_OF_MEMORY: usize = 3;
/// A guess of what a text takes.
const BYTES_OF_A_TEXT: usize = 32;
/// What a hash table takes for each row, besides the row.
const BYTES_OF_AN_ENTRY: usize = 24;

/// Physical rule: where a side of a join would be held whole and, by what the files say of it, takes too much memory, both
/// sides are sorted and merged. Sorts go through the disk; DataFusion 55.2's hash tables do not.
///
/// It comes when the sides of joins have been chosen, and before sorts are placed.
#[derive(Debug)]
pub(crate) struct LargeJoins {
    /// The most that is held.
    bytes: usize,
}

impl LargeJoins {
    /// Within the memory `limit` of all queries.
    pub(crate) fn within(limit: &MemoryLimit) -> Self {
        let bytes = match limit {
            MemoryLimit::Finite(bytes) => bytes / SHARE_OF_MEMORY,
            _ => usize::MAX,
        };
        Self { bytes }
    }
}

impl PhysicalOptimizerRule for LargeJoins {
    fn name(&self) -> &'static str {
        "large_joins"
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|node| {
            let join = node.downcast_ref::<HashJoinExec>().filter(|join| can_be_merged(join));
            let held = join.and_then(|join| estimated_bytes(join.left()));
            match (join, held) {
                (Some(join), Some(held)) if held > self.bytes => Ok(Transformed::yes(merged(join)?)),
                _ => Ok(Transformed::no(node)),
            }
        });
        replaced.data()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Joins that ask for NULLs in a list are hash joins alone, and so are those by values that merging does not compare.
fn can_be_merged(join: &HashJoinExec) -> bool {
    let schema = join.left().schema();
    let comparable = |key: Result<DataType>| match key {
        Ok(
            DataType::Utf8
            | DataType::Utf8View
            | DataType::Date32
            | DataType::Date64
            | DataType::Decimal128(..),
        ) => true,
        Ok(kind) => kind.is_integer(),
        Err(_) => false,
    };
    !join.null_aware
        && !join.contains_projection()
        && join.on().iter().all(|(left, _right)| comparable(left.data_type(&schema)))
}

/// What the rows of `plan` take in a hash table; `None` where nothing tells.
fn estimated_bytes(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    let statistics = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).ok()?;
    let rows = *statistics.num_rows.get_value()?;
    rows.checked_mul(bytes_of_a_row(&plan.schema()) + BYTES_OF_AN_ENTRY)
}

fn bytes_of_a_row(schema: &Schema) -> usize {
    let of = |kind: &DataType| kind.primitive_width().unwrap_or(BYTES_OF_A_TEXT);
    schema.fields().iter().map(|field| of(field.data_type())).sum()
}

fn merged(join: &HashJoinExec) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(Arc::new(SortMergeJoinExec::try_new(
        Arc::clone(join.left()),
        Arc::clone(join.right()),
        join.on().to_vec(),
        join.filter().cloned(),
        *join.join_type(),
        vec![Default::default(); join.on().len()],
        join.null_equality(),
    )?))
}
