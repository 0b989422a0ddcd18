//! Columns that few rows need are read for those rows alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, DynamicFilterPhysicalExpr, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Keep;
use datafusion::physical_plan::execution_plan::ReplaceChildrenOptions;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::repeated_text::cannot_fail;
use crate::execute::one_input;

/// How many times as much the other columns must weigh as those that tell which rows there are.
const WORTH: usize = 2;
/// What the other columns must weigh in all.
const LEAST: usize = 8;
/// How many rows a filter passes on at a time to what looks for the first ones: the sooner some are found, the fewer are read.
const AT_A_TIME: usize = 256;

/// Physical rule: of a scan of Parquet files of whose rows few are kept, the columns that tell which ones are decoded first, and
/// the others for those rows alone.
///
/// Few are kept where the first rows of an order are asked for, or those that have one value. It pays where the other columns are
/// most of what is read; DataFusion's setting for all scans costs more than it gains where rows that are kept lie scattered
/// among few columns (`benches/RESULTS.md`, "Conditions while decoding").
#[derive(Debug, Default)]
pub(crate) struct LateColumns;

impl LateColumns {
    pub(crate) const NAME: &'static str = "late_columns";
}

impl PhysicalOptimizerRule for LateColumns {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            let first = node.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_some());
            if !(first || node.is::<FilterExec>()) {
                return Ok(Transformed::no(node));
            }
            match below(&node, first)? {
                Some(read) => Ok(Transformed::new(read, true, TreeNodeRecursion::Jump)),
                None => Ok(Transformed::no(node)),
            }
        })
        .data()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `node` with late columns in the scan that it gets its rows from, as they are or filtered.
fn below(node: &Arc<dyn ExecutionPlan>, first: bool) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(source) = node.downcast_ref::<DataSourceExec>() {
        let scan = source.data_source().downcast_ref::<FileScanConfig>();
        return Ok(scan
            .and_then(|scan| late(scan, first))
            .map(|scan| DataSourceExec::from_data_source(scan) as _));
    }
    if !(node.is::<SortExec>() || node.is::<FilterExec>() || node.is::<ProjectionExec>()) {
        return Ok(None);
    }
    let input = one_input(node.name(), node.children())?;
    let Some(input) = below(input, first)? else { return Ok(None) };
    if let Some(filter) = node.downcast_ref::<FilterExec>().filter(|_filter| first) {
        let filter = FilterExecBuilder::from(filter).with_input(input).with_batch_size(AT_A_TIME).build()?;
        return Ok(Some(Arc::new(filter)));
    }
    Arc::clone(node).replace_children(vec![input], ReplaceChildrenOptions::new(Keep)).map(Some)
}

/// The scan with late columns, if that pays; of the first rows of an order, or of those with one value.
fn late(scan: &FileScanConfig, first: bool) -> Option<FileScanConfig> {
    let source = scan.file_source().downcast_ref::<ParquetSource>()?;
    let (filter, read) = (source.filter()?, source.projection()?);
    let parts = split_conjunction(&filter);
    let keeps_few = |part: &&Arc<dyn PhysicalExpr>| if first { is_dynamic(part) } else { is_one_value(part) };
    // What could fail must not be asked of rows that another condition hides.
    let harmless = |part: &&Arc<dyn PhysicalExpr>| is_dynamic(part) || cannot_fail(part);
    if !(parts.iter().any(keeps_few) && parts.iter().all(harmless)) {
        return None;
    }
    let files = source.table_schema().file_schema();
    let asked: BTreeSet<usize> = collect_columns(&filter).iter().map(Column::index).collect();
    let others: BTreeSet<usize> =
        read.iter().flat_map(|one| collect_columns(&one.expr)).map(|column| column.index()).collect();
    let others = weight(files, others.difference(&asked))?;
    // Codes are asked once for each text where they are filtered, and as texts here.
    let asked = weight(files, asked.iter()).filter(|_| !asked.iter().any(|index| is_coded(files, *index)))?;
    if others < LEAST || others < WORTH * asked {
        return None;
    }
    let source = Arc::new(source.clone().with_pushdown_filters(true));
    Some(FileScanConfigBuilder::from(scan.clone()).with_source(source).build())
}

fn is_dynamic(part: &Arc<dyn PhysicalExpr>) -> bool {
    part.is::<DynamicFilterPhysicalExpr>()
}

fn is_one_value(part: &Arc<dyn PhysicalExpr>) -> bool {
    part.downcast_ref::<BinaryExpr>().is_some_and(|binary| {
        *binary.op() == Operator::Eq && binary.left().is::<Column>() && binary.right().is::<Literal>()
    })
}

fn is_coded(files: &Schema, index: usize) -> bool {
    files.fields().get(index).is_some_and(|field| matches!(field.data_type(), DataType::Dictionary(_, _)))
}

/// What decoding the columns takes, in numbers of eight bytes; what a file's path says takes nothing.
fn weight<'i>(files: &Schema, columns: impl Iterator<Item = &'i usize>) -> Option<usize> {
    let fields = columns.filter_map(|index| files.fields().get(*index));
    fields
        .map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(4),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(4),
            DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => Some(2),
            // Where a part of it is read, nothing tells how large that is.
            nested if nested.is_nested() => None,
            _ => Some(1),
        })
        .sum()
}
