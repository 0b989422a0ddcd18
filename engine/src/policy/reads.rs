//! What a plan reads, for the audit.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use crate::catalog::CATALOG;
use crate::error::Result;
use crate::rollup::RollupTable;

/// The tables that `plan` names, also inside subqueries and views.
///
/// `schema` is where the session looks up bare names.
pub(crate) fn tables_read(plan: &LogicalPlan, schema: &str) -> Result<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    scans(plan, |scan| {
        tables.insert(full_name(&scan.table_name, schema));
    })?;
    Ok(tables)
}

/// The columns that an optimized plan reads from each table.
pub(crate) fn columns_read(plan: &LogicalPlan, schema: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    scans(plan, |scan| {
        if let Some(rollup) = rollup(scan) {
            let (schema, table) = rollup.table();
            let read = columns.entry(format!("{schema}.{table}")).or_default();
            let names = scan.projected_schema.fields().iter().map(|field| field.name());
            read.extend(names.flat_map(|name| rollup.columns_of(name)));
            let filtered = scan.filters.iter().flat_map(|filter| filter.column_refs());
            read.extend(filtered.flat_map(|column| rollup.columns_of(&column.name)));
            return;
        }
        let read = columns.entry(full_name(&scan.table_name, schema)).or_default();
        read.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
        for filter in &scan.filters {
            read.extend(filter.column_refs().into_iter().map(|column| column.name.clone()));
        }
    })?;
    Ok(columns)
}

/// The rollups that an optimized plan reads in the place of tables, as `schema.table/rollup`.
pub(crate) fn rollups_read(plan: &LogicalPlan) -> Result<BTreeSet<String>> {
    let mut rollups = BTreeSet::new();
    scans(plan, |scan| {
        if let Some(rollup) = rollup(scan) {
            let (schema, table) = rollup.table();
            rollups.insert(format!("{schema}.{table}/{}", rollup.name()));
        }
    })?;
    Ok(rollups)
}

/// The rollup that stands for the table of `scan`, if one does.
fn rollup(scan: &TableScan) -> Option<Arc<RollupTable>> {
    let provider: Arc<dyn Any + Send + Sync> = source_as_provider(&scan.source).ok()?;
    provider.downcast().ok()
}

fn scans(plan: &LogicalPlan, mut with: impl FnMut(&TableScan)) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            with(scan);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn full_name(table: &TableReference, schema: &str) -> String {
    let resolved = table.clone().resolve(CATALOG, schema);
    format!("{}.{}", resolved.schema, resolved.table)
}
