//! Rows as a table stores them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use parquet::arrow::ArrowSchemaConverter;

use crate::error::{EngineError, Result};

/// The columns in which rows of `schema` are stored: plain, so that any reader of Parquet understands them.
///
/// # Errors
/// When there is no column, two have one name, or a type has no place in a Parquet file.
pub(super) fn stored_schema(schema: &Schema, table: &str) -> Result<SchemaRef> {
    let refuse = |reason: String| Err(EngineError::Rows { table: table.to_owned(), reason });
    if schema.fields().is_empty() {
        return refuse("they have no columns".to_owned());
    }
    let mut names = BTreeSet::new();
    for field in schema.fields() {
        if !names.insert(field.name()) {
            return refuse(format!("two columns are called {:?}; name each once with AS", field.name()));
        }
        if field.data_type() == &DataType::Null {
            return refuse(format!(
                "the column {:?} has no type; write one, as in CAST(NULL AS BIGINT)",
                field.name()
            ));
        }
    }
    let stored = Schema::new(schema.fields().iter().map(stored_field).collect::<Fields>());
    match ArrowSchemaConverter::new().convert(&stored) {
        Ok(_) => Ok(Arc::new(stored)),
        Err(error) => refuse(format!("a column has a type that Parquet does not have ({error})")),
    }
}

/// The columns in which rows of `schema` are added to a table with the columns `table_schema`, which are those that
/// the table's other files have.
///
/// # Errors
/// When a column is missing or unknown, or its values would not all be kept as they are.
pub(super) fn appended_schema(schema: &Schema, table_schema: &Schema, table: &str) -> Result<SchemaRef> {
    let refuse = |reason: String| Err(EngineError::Rows { table: table.to_owned(), reason });
    let stored = stored_schema(table_schema, table)?;
    if let Some(unknown) = schema.fields().iter().find(|field| stored.field_with_name(field.name()).is_err())
    {
        let known: Vec<&str> = stored.fields().iter().map(|field| field.name().as_str()).collect();
        return refuse(format!("the table has no column {:?}, it has {}", unknown.name(), known.join(", ")));
    }
    for field in stored.fields() {
        let Ok(given) = schema.field_with_name(field.name()) else {
            return refuse(format!("they lack the column {:?}", field.name()));
        };
        if !fits(&stored_type(given.data_type()), field.data_type()) {
            return refuse(format!(
                "their column {:?} is {}, the table's is {}",
                field.name(),
                given.data_type(),
                field.data_type()
            ));
        }
    }
    Ok(stored)
}

/// `batch` in the columns of `stored`, which have its names.
///
/// # Errors
/// When a value has no place in its column.
pub(super) fn fit(
    batch: &RecordBatch,
    stored: &SchemaRef,
    table: &str,
) -> std::result::Result<RecordBatch, DataFusionError> {
    let refuse = |reason: String| EngineError::Rows { table: table.to_owned(), reason };
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(stored.fields().len());
    for field in stored.fields() {
        let given = batch.column_by_name(field.name());
        let given = given.ok_or_else(|| refuse(format!("they lack the column {:?}", field.name())))?;
        let column = cast_with_options(given, field.data_type(), &exact)
            .map_err(|error| refuse(format!("in the column {:?}: {error}", field.name())))?;
        if !field.is_nullable() && column.null_count() > 0 {
            return Err(refuse(format!("the column {:?} takes no NULL", field.name())).into());
        }
        columns.push(column);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(stored), columns, &options)?)
}

fn stored_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), stored_type(field.data_type()), field.is_nullable()))
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, values) => stored_type(values),
        DataType::RunEndEncoded(_, values) => stored_type(values.data_type()),
        DataType::List(item) | DataType::ListView(item) => DataType::List(stored_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => DataType::LargeList(stored_field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(stored_field(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(stored_field(entries), *sorted),
        other => other.clone(),
    }
}

/// Whether every value of `from` is one of `to`, or its cast says that it is not.
fn fits(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Decimal128, Float32, Float64, Null, Timestamp};
    match (from, to) {
        (from, to) if from == to => true,
        (Null, _) | (Float32, Float64) => true,
        (from, to) if from.is_integer() && to.is_integer() => true,
        (from, Decimal128(_, scale)) if from.is_integer() => *scale >= 0,
        (Decimal128(_, from), Decimal128(_, to)) => to >= from,
        (Timestamp(from, zone), Timestamp(to, to_zone)) => zone == to_zone && to >= from,
        (Date32, Timestamp(_, None)) => true,
        (DataType::List(from), DataType::List(to)) => fits(from.data_type(), to.data_type()),
        // Fields of structs differ in nullability alone where tables were made by other writers.
        (from, to) => from.equals_datatype(to),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};

    use super::*;

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        Schema::new(
            columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn what_does_not_fit_is_said_in_one_sentence() {
        let table = schema(&[("a", DataType::Int64), ("b", DataType::Utf8View)]);
        let check = |columns: &[(&str, DataType)], expected: &str| {
            let told = appended_schema(&schema(columns), &table, "s.t").unwrap_err().to_string();
            assert_eq!(told, format!("the rows do not fit the table s.t: {expected}"));
        };
        check(&[("a", DataType::Int64)], "they lack the column \"b\"");
        check(&[("a", DataType::Int64), ("c", DataType::Utf8)], "the table has no column \"c\", it has a, b");
        check(
            &[("a", DataType::Utf8), ("b", DataType::Utf8)],
            "their column \"a\" is Utf8, the table's is Int64",
        );
        let twice = stored_schema(&schema(&[("a", DataType::Int64), ("a", DataType::Int64)]), "s.t");
        assert!(twice.unwrap_err().to_string().contains("two columns are called \"a\""));
        assert!(stored_schema(&schema(&[]), "s.t").is_err());
        assert!(stored_schema(&schema(&[("a", DataType::Null)]), "s.t").is_err());
    }

    #[test]
    fn rows_take_the_table_s_types_and_order() {
        let table = schema(&[("a", DataType::Int32), ("b", DataType::Utf8View)]);
        let rows = |numbers: Vec<i64>| {
            let names = StringViewArray::from(vec!["稅"; numbers.len()]);
            RecordBatch::try_from_iter([
                ("b", Arc::new(names) as ArrayRef),
                ("a", Arc::new(Int64Array::from(numbers)) as ArrayRef),
            ])
            .unwrap()
        };
        let stored = appended_schema(&rows(vec![1]).schema(), &table, "s.t").unwrap();
        let fitted = fit(&rows(vec![1, 2]), &stored, "s.t").unwrap();
        assert_eq!(fitted.schema().field(1), &Field::new("b", DataType::Utf8, true));
        let error = EngineError::from(fit(&rows(vec![1 << 40]), &stored, "s.t").unwrap_err());
        assert!(error.to_string().contains("in the column \"a\""), "{error}");
    }
}
