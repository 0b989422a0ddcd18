//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::exec::InTurnsExec;
use super::parts::{Part, parts, turns};
use super::side::Side;

/// Bytes of files of the smaller side below which its hash table is small enough as a whole.
const LEAST_BYTES: u64 = 4 << 20;

/// The rule; it comes when rows have been divided for joins, and before joins tell their scans what to skip.
#[derive(Debug, Default)]
pub(crate) struct FolderJoins;

impl FolderJoins {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "folder_joins";
}

impl PhysicalOptimizerRule for FolderJoins {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let threads = config.execution.target_partitions;
        let instead = Arc::clone(&plan).transform_down(|node| {
            Ok(match by_folder(&node, threads)? {
                Some(instead) => Transformed::new(instead, true, TreeNodeRecursion::Jump),
                None => Transformed::no(node),
            })
        })?;
        // An operator above may count on how the join's rows were divided.
        let fits =
            instead.transformed && SanityCheckPlan::new().optimize(Arc::clone(&instead.data), config).is_ok();
        Ok(if fits { instead.data } else { plan })
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The join `node` folder by folder.
fn by_folder(node: &Arc<dyn ExecutionPlan>, threads: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    if join.fetch().is_some() || node.output_ordering().is_some() || join.null_aware {
        return Ok(None);
    }
    let (Some(left), Some(right)) = (Side::of(join.left()), Side::of(join.right())) else { return Ok(None) };
    let bytes = |side: &Side| side.files().map(PartitionedFile::effective_size).sum::<u64>();
    if bytes(&left).min(bytes(&right)) < LEAST_BYTES {
        return Ok(None);
    }
    let mut keys = Vec::new();
    let mut names = Vec::new();
    for (of_left, of_right) in join.on() {
        if let (Some(column), Some(other)) = (left.folder_column(of_left), right.folder_column(of_right)) {
            keys.push((column, other));
            names.push(of_left.to_string());
        }
    }
    if keys.is_empty() {
        return Ok(None);
    }
    let Some(mut parts) = parts(left.files(), right.files(), &keys) else { return Ok(None) };
    parts.retain(|part| part.matters_to(*join.join_type()));
    let bytes: Vec<u64> = parts.iter().map(Part::bytes).collect();
    let Some(turns) = turns(&bytes, threads) else { return Ok(None) };
    let joins = parts.into_iter().map(|part| {
        // Of one partition each, so that nothing outlives its part.
        let sides = vec![left.over(part.left)?, right.over(part.right)?];
        let join = join.builder().with_new_children(sides)?.with_partition_mode(PartitionMode::Partitioned);
        join.recompute_properties().reset_state().build_exec()
    });
    let joins = joins.collect::<Result<Vec<_>>>()?;
    let what = format!("folders=[{}]", names.join(", "));
    Ok(Some(Arc::new(InTurnsExec::try_new(joins, turns, what)?)))
}
