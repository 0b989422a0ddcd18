//! The operator on its way to a worker.

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_physical_sort_exprs;
use datafusion_proto::physical_plan::to_proto::serialize_physical_sort_exprs;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::PhysicalSortExprNodeCollection;
use prost::Message;

use super::exec::{FirstOfGroupsExec, Groups};
use super::first_rows::FirstRows;

/// How many rows, and whether equal ones count as one; the keys follow, and the first key of the order comes last of them.
#[derive(Clone, PartialEq, Message)]
struct Written {
    #[prost(uint64, tag = "1")]
    wanted: u64,
    #[prost(bool, tag = "2")]
    distinct: bool,
    #[prost(message, optional, tag = "3")]
    keys: Option<PhysicalSortExprNodeCollection>,
}

impl FirstOfGroupsExec {
    /// What [`FirstOfGroupsExec::decode`] reads.
    ///
    /// # Errors
    /// When an expression cannot be sent.
    pub(crate) fn encode(
        &self,
        codec: &dyn PhysicalExtensionCodec,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Vec<u8>> {
        let Groups { keys, best, first } = &self.groups;
        let unordered = |key: &Arc<_>| PhysicalSortExpr::new(Arc::clone(key), SortOptions::default());
        let keys: Vec<PhysicalSortExpr> = keys.iter().map(unordered).chain([best.clone()]).collect();
        let physical_sort_expr_nodes = serialize_physical_sort_exprs(keys, codec, converter)?;
        let written = Written {
            wanted: first.wanted as u64,
            distinct: first.distinct,
            keys: Some(PhysicalSortExprNodeCollection { physical_sort_expr_nodes }),
        };
        Ok(written.encode_to_vec())
    }

    /// The operator that was written as `bytes`, over `input`.
    ///
    /// # Errors
    /// When it was not, or an expression does not fit.
    pub(crate) fn decode(
        bytes: &[u8],
        input: Arc<dyn ExecutionPlan>,
        context: &TaskContext,
        codec: &dyn PhysicalExtensionCodec,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Self> {
        let unread = |error: &dyn std::fmt::Display| {
            internal_datafusion_err!("the first rows of groups that a task asks for cannot be read: {error}")
        };
        let written = Written::decode(bytes).map_err(|error| unread(&error))?;
        let wanted = usize::try_from(written.wanted).map_err(|error| unread(&error))?;
        let keys = written.keys.unwrap_or_default().physical_sort_expr_nodes;
        let context = PhysicalPlanDecodeContext::new(context, codec);
        let mut keys = parse_physical_sort_exprs(&keys, &context, &input.schema(), converter)?;
        let Some(best) = keys.pop() else { return internal_err!("a task asks for first rows of no order") };
        let keys = keys.into_iter().map(|key| key.expr).collect();
        let first = FirstRows { wanted, distinct: written.distinct };
        Ok(Self::new(input, Groups { keys, best, first }))
    }
}
