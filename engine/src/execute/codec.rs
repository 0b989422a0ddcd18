//! Tithe's own operators on their way to a worker.

use std::sync::Arc;

use datafusion::common::{Result, internal_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::policy::BarrierExec;

/// Marks the border of the policy; the table's name follows.
const BORDER: &[u8] = b"border ";

/// Carries the border of the policy, whose filters and masks are operators below it. What it does not know is an
/// error, so that no operator is left out on the way.
#[derive(Debug)]
pub(crate) struct TitheCodec;

impl PhysicalExtensionCodec for TitheCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _context: &TaskContext,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = bytes.strip_prefix(BORDER).and_then(|table| std::str::from_utf8(table).ok());
        match (table, inputs) {
            (Some(table), [input]) => Ok(Arc::new(BarrierExec::new(Arc::clone(input), table.to_owned()))),
            _ => internal_err!("a task holds an operator that this worker does not know"),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<BarrierExec>() {
            Some(border) => {
                bytes.extend_from_slice(BORDER);
                bytes.extend_from_slice(border.table().as_bytes());
                Ok(())
            }
            None => not_impl_err!("{} on a worker", node.name()),
        }
    }
}
