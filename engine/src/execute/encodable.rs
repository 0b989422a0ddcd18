//! Whether what workers would be sent can be sent.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_distributed::{DistributedCodec, DistributedLeafExec, NetworkBoundaryExt};
use datafusion_proto::bytes::physical_plan_to_bytes_with_proto_converter;
use datafusion_proto::physical_plan::DeduplicatingProtoConverter;

/// Writes down every stage of `plan` as it goes to a worker: what fails while it is sent is only noticed by other workers,
/// who wait for a part that does not come. What runs above the stages stays in this process.
///
/// # Errors
/// When an operator or expression of a stage cannot be written.
pub(super) fn check_encodable(plan: &Arc<dyn ExecutionPlan>, config: &SessionConfig) -> Result<()> {
    plan.apply(|node| {
        if !node.is_network_boundary() {
            return Ok(TreeNodeRecursion::Continue);
        }
        // Each task gets its own part of a leaf, and all parts are made alike.
        let stages = Arc::clone(node).transform_down(|node| {
            Ok(match node.downcast_ref::<DistributedLeafExec>() {
                Some(leaf) => Transformed::yes(Arc::clone(leaf.original())),
                None => Transformed::no(node),
            })
        })?;
        let codec = DistributedCodec::new_combined_with_user(config);
        let converter = DeduplicatingProtoConverter::default();
        physical_plan_to_bytes_with_proto_converter(stages.data, &codec, &converter)?;
        Ok(TreeNodeRecursion::Jump)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Schema;
    use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
    use datafusion::physical_plan::empty::EmptyExec;
    use datafusion_distributed::{DistributedExt, NetworkCoalesceExec};

    use super::*;
    use crate::execute::{TaskSpan, TitheCodec, guard};

    fn sent(stage: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(NetworkCoalesceExec::try_new(stage, 1, 1).unwrap())
    }

    fn merged(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(CoalescePartitionsExec::new(plan))
    }

    #[test]
    fn what_the_codec_does_not_know_is_found_in_any_stage_and_nowhere_else() {
        let config = SessionConfig::new().with_distributed_user_codec(TitheCodec);
        let known: Arc<dyn ExecutionPlan> = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
        // It exists on workers alone, and never travels.
        let span = TaskSpan::new(uuid::Uuid::nil(), &http::HeaderMap::new());
        let unknown = guard(Arc::clone(&known), &span).unwrap();
        for fine in [
            sent(Arc::clone(&known)),
            merged(sent(merged(sent(Arc::clone(&known))))),
            guard(merged(sent(known)), &span).unwrap(),
        ] {
            check_encodable(&fine, &config).unwrap();
        }
        for bad in [sent(Arc::clone(&unknown)), merged(sent(merged(sent(unknown))))] {
            let error = check_encodable(&bad, &config).unwrap_err().to_string();
            assert!(error.contains("EmptyExec on a worker"), "{error}");
        }
    }
}
