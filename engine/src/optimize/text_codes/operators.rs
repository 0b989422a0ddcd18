//! Operators over rows in which some texts are codes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column, IsNotNullExpr, IsNullExpr};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::ProjectionExec;

use super::file_facts::FileFacts;
use super::scan::coded_scan;
use crate::execute::file_scan;
use crate::optimize::repeated_text::searched_columns;

/// Operators that give the texts of some columns as codes.
pub(super) struct Coded {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    /// The places of those columns in a row.
    pub(super) columns: BTreeSet<usize>,
}

/// `plan` with codes in the columns `wanted` and in those that its filters search, as far as its scan has them; `None`
/// when nothing changes.
pub(super) fn coded(
    plan: &Arc<dyn ExecutionPlan>,
    wanted: &BTreeSet<usize>,
    facts: &FileFacts,
) -> Result<Option<Coded>> {
    if let Some(scan) = file_scan(plan.as_ref()) {
        return coded_scan(scan, wanted, facts);
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return coded_filter(filter, wanted, facts);
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return coded_projection(projection, wanted, facts);
    }
    Ok(None)
}

fn coded_filter(filter: &FilterExec, wanted: &BTreeSet<usize>, facts: &FileFacts) -> Result<Option<Coded>> {
    let projection = filter.projection().as_deref();
    let place_below = |place: usize| projection.map_or(Some(place), |places| places.get(place).copied());
    let mut below: BTreeSet<usize> = wanted.iter().filter_map(|place| place_below(*place)).collect();
    below.extend(searched_columns(filter.predicate(), &filter.input().schema())?);
    let Some(input) = coded(filter.input(), &below, facts)? else { return Ok(None) };
    let predicate = with_texts(filter.predicate(), &input.columns)?;
    let builder = FilterExecBuilder::from(filter).with_input(input.plan).with_predicate(predicate);
    let plan = Arc::new(builder.build()?);
    let columns = (0..plan.schema().fields().len())
        .filter(|place| place_below(*place).is_some_and(|below| input.columns.contains(&below)));
    Ok(Some(Coded { columns: columns.collect(), plan }))
}

fn coded_projection(
    projection: &ProjectionExec,
    wanted: &BTreeSet<usize>,
    facts: &FileFacts,
) -> Result<Option<Coded>> {
    let exprs = projection.expr();
    let below = wanted.iter().filter_map(|place| exprs.get(*place)?.expr.downcast_ref::<Column>());
    let below = below.map(Column::index).collect();
    let Some(input) = coded(projection.input(), &below, facts)? else { return Ok(None) };
    let (exprs, columns) = projected(exprs, &input.columns)?;
    Ok(Some(Coded { plan: Arc::new(ProjectionExec::try_new(exprs, input.plan)?), columns }))
}

/// `exprs` over rows in which `columns` are codes, and the places at which they give codes.
pub(super) fn projected<'a>(
    exprs: impl IntoIterator<Item = &'a ProjectionExpr>,
    columns: &BTreeSet<usize>,
) -> Result<(Vec<ProjectionExpr>, BTreeSet<usize>)> {
    let mut places = BTreeSet::new();
    let exprs = exprs.into_iter().enumerate().map(|(place, projected)| {
        if is_code(&projected.expr, columns) {
            places.insert(place);
        }
        let expr = keeping_codes(&projected.expr, columns)?;
        Ok(ProjectionExpr { expr, alias: projected.alias.clone() })
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok((exprs, places))
}

/// `expr` over rows in which `columns` are codes: one of them as it is, all else of texts.
pub(in crate::optimize) fn keeping_codes(
    expr: &Arc<dyn PhysicalExpr>,
    columns: &BTreeSet<usize>,
) -> Result<Arc<dyn PhysicalExpr>> {
    match is_code(expr, columns) {
        true => Ok(Arc::clone(expr)),
        false => with_texts(expr, columns),
    }
}

/// `coded` with texts again in place of codes.
pub(super) fn as_it_was(coded: Coded) -> Result<Arc<dyn ExecutionPlan>> {
    if coded.columns.is_empty() {
        return Ok(coded.plan);
    }
    let schema = coded.plan.schema();
    let exprs = schema.fields().iter().enumerate().map(|(place, field)| {
        let expr = with_texts(&(Arc::new(Column::new(field.name(), place)) as _), &coded.columns)?;
        Ok(ProjectionExpr { expr, alias: field.name().clone() })
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(exprs, coded.plan)?))
}

fn is_code(expr: &Arc<dyn PhysicalExpr>, columns: &BTreeSet<usize>) -> bool {
    expr.downcast_ref::<Column>().is_some_and(|column| columns.contains(&column.index()))
}

/// `expr` over rows in which `columns` are codes.
pub(in crate::optimize) fn with_texts(
    expr: &Arc<dyn PhysicalExpr>,
    columns: &BTreeSet<usize>,
) -> Result<Arc<dyn PhysicalExpr>> {
    Arc::clone(expr)
        .transform_down(|part| {
            if is_code(&part, columns) {
                let text = CastExpr::new(part, DataType::Utf8View, None);
                return Ok(Transformed::new(
                    Arc::new(text) as Arc<dyn PhysicalExpr>,
                    true,
                    TreeNodeRecursion::Jump,
                ));
            }
            // A code is NULL where its text is.
            let asks_for_null = part.is::<IsNullExpr>() || part.is::<IsNotNullExpr>();
            let of_code = asks_for_null && part.children().into_iter().all(|child| is_code(child, columns));
            let next = if of_code { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Continue };
            Ok(Transformed::new(part, false, next))
        })
        .data()
}
