//! Physical rule: columns whose texts repeat are read as codes, numbers into the dictionaries of their Parquet pages.
//!
//! A filter then asks once for each text of a dictionary, and a group is found by its codes. Where a text itself is
//! needed, the codes are cast back to it.

mod file_facts;
mod operators;
mod scan;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;

use super::coded_groups::{CodedGroupsExec, groups_by_codes};
use file_facts::FileFacts;
pub(crate) use file_facts::{footer, holds_codes, only_codes};
use operators::{as_it_was, coded};
pub(super) use operators::{keeping_codes, with_texts};
pub(crate) use scan::with_code_types;

/// The rule.
#[derive(Debug)]
pub(crate) struct TextCodes {
    facts: FileFacts,
}

impl TextCodes {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "text_codes";

    /// Files whose footers are not in `metadata` are read as they are.
    pub(crate) fn new(metadata: Arc<FileMetadataCache>) -> Self {
        Self { facts: FileFacts::new(metadata) }
    }

    /// `plan`, reading codes where that pays.
    ///
    /// # Errors
    /// When the operators cannot be put together again.
    pub(crate) fn read_codes(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|plan| {
            if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
                return Ok(self.aggregate(aggregate)?.unwrap_or_else(|| Transformed::no(plan)));
            }
            let filter = match plan.is::<FilterExec>() {
                true => coded(&plan, &BTreeSet::new(), &self.facts)?.map(as_it_was).transpose()?,
                false => None,
            };
            Ok(match filter {
                Some(filter) => Transformed::new(filter, true, TreeNodeRecursion::Jump),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn aggregate(&self, aggregate: &AggregateExec) -> Result<Option<Transformed<Arc<dyn ExecutionPlan>>>> {
        if !groups_by_codes(aggregate) {
            return Ok(None);
        }
        let keys = aggregate.group_expr().expr().iter();
        let wanted: BTreeSet<usize> =
            keys.filter_map(|(key, _)| key.downcast_ref::<Column>()).map(Column::index).collect();
        let coded = coded(aggregate.input(), &wanted, &self.facts)?;
        // Other keys than texts may have codes where nothing is read as such.
        let (input, columns, next) = match coded {
            Some(coded) => (coded.plan, coded.columns, TreeNodeRecursion::Jump),
            None => (Arc::clone(aggregate.input()), BTreeSet::new(), TreeNodeRecursion::Continue),
        };
        let groups = CodedGroupsExec::try_new(aggregate, &input, &columns)?;
        Ok(groups.map(|groups| Transformed::new(Arc::new(groups) as Arc<dyn ExecutionPlan>, true, next)))
    }
}

impl PhysicalOptimizerRule for TextCodes {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.read_codes(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}
