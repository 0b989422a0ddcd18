//! Tithe's own operators on their way to a worker.

use std::sync::Arc;

use datafusion::common::{Result, internal_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::optimize::FirstOfGroupsExec;
use crate::policy::BarrierExec;

/// Marks the border of the policy; the table's name follows.
const BORDER: &[u8] = b"border ";
/// Marks first rows of groups.
const FIRST_OF_GROUPS: &[u8] = b"first ";

/// Carries the border of the policy, whose filters and masks are operators below it, and what drops rows before they are sent. What
/// it does not know is an error, so that no operator is left out on the way.
#[derive(Debug)]
pub(crate) struct TitheCodec;

impl PhysicalExtensionCodec for TitheCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = inputs else {
            return internal_err!("a task's operator has {} inputs, not one", inputs.len());
        };
        if let Some(first) = bytes.strip_prefix(FIRST_OF_GROUPS) {
            let first = FirstOfGroupsExec::decode(first, Arc::clone(input), context, self, converter)?;
            return Ok(Arc::new(first));
        }
        match bytes.strip_prefix(BORDER).and_then(|table| std::str::from_utf8(table).ok()) {
            Some(table) => Ok(Arc::new(BarrierExec::new(Arc::clone(input), table.to_owned()))),
            None => internal_err!("a task holds an operator that this worker does not know"),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(border) = node.downcast_ref::<BarrierExec>() {
            bytes.extend_from_slice(BORDER);
            bytes.extend_from_slice(border.table().as_bytes());
        } else if let Some(first) = node.downcast_ref::<FirstOfGroupsExec>() {
            bytes.extend_from_slice(FIRST_OF_GROUPS);
            bytes.extend(first.encode(self, converter)?);
        } else {
            return not_impl_err!("{} on a worker", node.name());
        }
        Ok(())
    }
}
