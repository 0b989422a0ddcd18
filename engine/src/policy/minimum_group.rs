//! A table that is seen in groups alone: only the rows of its large cells are there.
//!
//! A cell is the rows that agree in all dimensions. What a query may choose by are the dimensions, so whatever it
//! counts or sums is made of whole cells, and so is every difference between two queries: to leave small cells out
//! of the table itself, and not out of one answer, leaves nothing for a total to give away.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, NullEquality, Result, ScalarValue, TableReference};
use datafusion::functions_aggregate::expr_fn::count_distinct;
use datafusion::logical_expr::{
    Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, col, lit, when,
};

use crate::policy::file::MinimumGroup;

/// What the columns are called that only the plan knows.
const CELL: &str = "cell";
const ROW: &str = "row";
const KEY: &str = "key";
const PERSONS: &str = "persons";

/// That a table with these columns has the key and the dimensions.
///
/// # Errors
/// A sentence when one is missing, or of a type whose equal values are not the same.
pub(super) fn check(group: &MinimumGroup, columns: &Schema) -> std::result::Result<(), String> {
    for (role, name) in
        std::iter::once(("key", &group.key)).chain(group.dimensions.iter().map(|name| ("dimension", name)))
    {
        let Ok(field) = columns.field_with_name(name) else {
            return Err(format!("minimum_group has the {role} {name:?}, and there is no such column"));
        };
        if !is_exact(field.data_type()) {
            return Err(format!(
                "minimum_group has the {role} {name:?}, which is {}, and must be text, whole numbers, decimals, \
                 dates, times and booleans",
                field.data_type()
            ));
        }
    }
    Ok(())
}

/// Whether equal values cannot be told apart: `1 / x` tells 0.0 from -0.0, which stand in one cell.
fn is_exact(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => is_exact(value),
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        kind => kind.is_integer() || kind.is_decimal(),
    }
}

/// Of the `shown` columns of `rows`, under the name `table`, the rows of cells with as many distinct keys as `group`
/// wants. A value that fewer of a cell's keys have is NULL: its sum would be theirs.
///
/// The key is counted as it is stored, the dimensions as they are shown; a dimension that is hidden is none.
///
/// # Errors
/// When the plan cannot be built.
pub(super) fn large_cells(
    rows: LogicalPlan,
    shown: Vec<Expr>,
    group: &MinimumGroup,
    table: &TableReference,
) -> Result<LogicalPlan> {
    let stored_key = col(Column::new(Some(table.clone()), &group.key));
    let mut columns = vec![stored_key.alias_qualified(Some(ROW), KEY)];
    columns.extend(shown);
    let rows = LogicalPlanBuilder::from(rows).project(columns)?.build()?;
    let schema = Arc::clone(rows.schema());
    let names: Vec<&str> = schema.fields().iter().skip(1).map(|field| field.name().as_str()).collect();
    let of_table = |name: &str| Column::new(Some(table.clone()), name);
    let of_cell = |name: &str| Column::new(Some(CELL), name);
    let key = col(Column::new(Some(ROW), KEY));
    let size = lit(ScalarValue::Int64(Some(i64::from(group.size))));

    let is_dimension = |name: &str| group.dimensions.iter().any(|dimension| dimension == name);
    let dimensions: Vec<&str> = names.iter().copied().filter(|name| is_dimension(name)).collect();
    let mut measures = Vec::new();
    for name in names.iter().copied().filter(|name| !is_dimension(name) && *name != group.key) {
        if col(of_table(name)).nullable(&schema)? {
            measures.push(name);
        }
    }

    let mut counts = vec![count_distinct(key.clone()).alias(PERSONS)];
    for (place, name) in measures.iter().enumerate() {
        let whose = when(col(of_table(name)).is_not_null(), key.clone()).end()?;
        counts.push(count_distinct(whose).alias(format!("{PERSONS}_{place}")));
    }
    let mut cell: Vec<Expr> = dimensions
        .iter()
        .enumerate()
        .map(|(place, name)| col(of_table(name)).alias(format!("dimension_{place}")))
        .collect();
    cell.extend((0..measures.len()).map(|place| {
        let persons = format!("{PERSONS}_{place}");
        col(Column::new_unqualified(persons.as_str())).gt_eq(size.clone()).alias(persons)
    }));
    cell.push(lit(true).alias(PERSONS));
    let by: Vec<Expr> = dimensions.iter().map(|name| col(of_table(name))).collect();
    let cells = LogicalPlanBuilder::from(rows.clone())
        .aggregate(by, counts)?
        .filter(col(Column::new_unqualified(PERSONS)).gt_eq(size))?
        .project(cell)?
        .alias(CELL)?
        .build()?;

    let rows = LogicalPlanBuilder::from(rows);
    let joined = if dimensions.is_empty() {
        rows.cross_join(cells)?
    } else {
        let left: Vec<Column> = dimensions.iter().map(|name| of_table(name)).collect();
        let right: Vec<Column> =
            (0..dimensions.len()).map(|place| of_cell(&format!("dimension_{place}"))).collect();
        rows.join_detailed(cells, JoinType::Inner, (left, right), None, NullEquality::NullEqualsNull)?
    };
    let mut columns = Vec::with_capacity(names.len());
    for name in &names {
        let value = col(of_table(name));
        columns.push(match measures.iter().position(|measure| measure == name) {
            Some(place) => when(col(of_cell(&format!("{PERSONS}_{place}"))), value)
                .end()?
                .alias_qualified(Some(table.clone()), *name),
            None => value,
        });
    }
    joined.project(columns)?.build()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn a_column_whose_equal_values_differ_makes_no_cells() {
        let of = |kind: DataType| {
            Schema::new(vec![Field::new("id", DataType::Utf8, true), Field::new("d", kind, true)])
        };
        let group = |key: &str, dimension: &str| MinimumGroup {
            key: key.to_owned(),
            size: 3,
            dimensions: vec![dimension.to_owned()],
        };
        let packed = |kind: DataType| DataType::Dictionary(Box::new(DataType::Int8), Box::new(kind));
        for kind in [DataType::Utf8, DataType::UInt8, DataType::Decimal128(9, 2), packed(DataType::Utf8View)]
        {
            assert_eq!(check(&group("id", "d"), &of(kind.clone())), Ok(()), "{kind}");
        }
        for kind in [DataType::Float64, packed(DataType::Float32), DataType::new_list(DataType::Utf8, true)] {
            let reason = check(&group("id", "d"), &of(kind.clone())).unwrap_err();
            assert!(reason.starts_with("minimum_group has the dimension \"d\", which is "), "{reason}");
            assert!(
                check(&group("d", "id"), &of(kind))
                    .unwrap_err()
                    .starts_with("minimum_group has the key \"d\"")
            );
        }
        for missing in [group("none", "d"), group("id", "none")] {
            let reason = check(&missing, &of(DataType::Utf8)).unwrap_err();
            assert!(reason.ends_with("\"none\", and there is no such column"), "{reason}");
        }
    }
}
