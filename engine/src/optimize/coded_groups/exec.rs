//! The operator.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::{ReplaceChildrenOptions, apply_expression_roots};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PhysicalExpr, PlanProperties,
};

use super::keys::Key;
use super::stream::states;
use crate::execute::one_input;
use crate::optimize::text_codes::with_texts;

/// Groups are found by codes up to so many keys.
const MOST_KEYS: usize = 4;

/// Whether the states of `aggregate` can be made by [`CodedGroupsExec`], if its input has codes.
pub(crate) fn groups_by_codes(aggregate: &AggregateExec) -> bool {
    let keys = aggregate.group_expr();
    *aggregate.mode() == AggregateMode::Partial
        && keys.is_single()
        && !keys.has_grouping_set()
        && (1..=MOST_KEYS).contains(&keys.expr().len())
        && *aggregate.input_order_mode() == InputOrderMode::Linear
        && aggregate.limit_options().is_none()
        && aggregate.dynamic_expressions_produced().is_empty()
        && aggregate
            .aggr_expr()
            .iter()
            .all(|call| call.groups_accumulator_supported() && call.order_bys().is_empty())
}

/// Gives the rows of a partial [`AggregateExec`]: a row of states for each group that a partition of its input has.
#[derive(Debug)]
pub(crate) struct CodedGroupsExec {
    input: Arc<dyn ExecutionPlan>,
    /// As it would be over texts.
    plain: Arc<AggregateExec>,
    pub(super) keys: Vec<Key>,
    pub(super) calls: Vec<Call>,
    pub(super) metrics: ExecutionPlanMetricsSet,
}

/// An aggregate function with what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) function: Arc<AggregateFunctionExpr>,
    pub(super) arguments: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
}

impl CodedGroupsExec {
    /// `plain` over `input`, which has the rows of its input with codes in `columns`; `None` if a key has no codes, or
    /// if they would save nothing.
    ///
    /// # Errors
    /// When an expression cannot be put together again.
    pub(crate) fn try_new(
        plain: &AggregateExec,
        input: &Arc<dyn ExecutionPlan>,
        columns: &BTreeSet<usize>,
    ) -> Result<Option<Self>> {
        let schema = input.schema();
        let keys = plain.group_expr().expr().iter().map(|(key, _)| Key::of(key, &schema, columns));
        let Some(keys) = keys.collect::<Result<Option<Vec<_>>>>()? else { return Ok(None) };
        if !keys.iter().any(Key::saves) {
            return Ok(None);
        }
        let calls = plain.aggr_expr().iter().zip(plain.filter_expr()).map(|(function, filter)| {
            let arguments = function.expressions();
            let arguments = arguments.iter().map(|argument| with_texts(argument, columns));
            Ok(Call {
                function: Arc::clone(function),
                arguments: arguments.collect::<Result<Vec<_>>>()?,
                filter: filter.as_ref().map(|filter| with_texts(filter, columns)).transpose()?,
            })
        });
        let calls = calls.collect::<Result<Vec<_>>>()?;
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Some(Self { input: Arc::clone(input), plain: Arc::new(plain.clone()), keys, calls, metrics }))
    }

    /// The types of the keys as texts.
    pub(super) fn key_schema(&self) -> Result<SchemaRef> {
        self.plain.group_expr().group_schema(&self.plain.input_schema())
    }
}

impl DisplayAs for CodedGroupsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodedGroupsExec: ")?;
        self.plain.fmt_as(format, f)
    }
}

impl ExecutionPlan for CodedGroupsExec {
    fn name(&self) -> &'static str {
        "CodedGroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.plain.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let of_calls = self.calls.iter().flat_map(|call| call.arguments.iter().chain(&call.filter));
        apply_expression_roots(self.keys.iter().map(Key::expr).chain(of_calls), f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = one_input(self.name(), children)?;
        Ok(Arc::new(Self {
            input,
            plain: Arc::clone(&self.plain),
            keys: self.keys.clone(),
            calls: self.calls.clone(),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        states(self, input, partition, &context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
