//! What a plan reads, for the audit.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use crate::catalog::CATALOG;
use crate::error::Result;

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
        let read = columns.entry(full_name(&scan.table_name, schema)).or_default();
        read.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
        for filter in &scan.filters {
            read.extend(filter.column_refs().into_iter().map(|column| column.name.clone()));
        }
    })?;
    Ok(columns)
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
