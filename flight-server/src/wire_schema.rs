//! The one form in which results leave the server, whatever types the engine worked with.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;

/// What clients are told that `schema` is: no views, no dictionaries, no run ends, no narrow decimals, since
/// widespread drivers cannot read them. Names, nullability and metadata stay.
///
/// Every schema the server announces (flight information, prepared statement, `GetSchema`, table metadata) and every
/// batch it sends comes from this function, so they always agree.
pub(crate) fn wire_schema(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(wire_field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// `batch` in the form of `schema`, which [`wire_schema`] made.
pub(crate) fn to_wire(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() != schema.fields().len() {
        return Err(ArrowError::SchemaError(format!(
            "{} columns were announced, {} came",
            schema.fields().len(),
            batch.num_columns()
        )));
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                cast_with_options(column, field.data_type(), &exact)
            }
        })
        .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}

fn wire_field(field: &FieldRef) -> FieldRef {
    let wire = wire_type(field.data_type());
    if wire == *field.data_type() {
        return Arc::clone(field);
    }
    Arc::new(Field::new(field.name(), wire, field.is_nullable()).with_metadata(field.metadata().clone()))
}

fn wire_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => wire_type(values),
        DataType::RunEndEncoded(_, values) => wire_type(values.data_type()),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) if *precision <= 38 => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::List(item) | DataType::ListView(item) => DataType::List(wire_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => DataType::LargeList(wire_field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(wire_field(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(wire_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(wire_field(entries), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Decimal32Array, DictionaryArray, StringViewArray, StructArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(column: ArrayRef, expected: &DataType) {
        let schema = Schema::new(vec![Field::new("c", column.data_type().clone(), false)]);
        let wire = wire_schema(&schema);
        assert_eq!(wire.field(0).data_type(), expected);
        assert!(!wire.field(0).is_nullable());
        let rows = column.len();
        let batch = RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap();
        let sent = to_wire(&batch, &wire).unwrap();
        assert_eq!((sent.schema(), sent.num_rows()), (wire, rows));
    }

    #[test]
    fn types_that_drivers_cannot_read_become_plain() {
        check(
            Arc::new(StringViewArray::from(vec!["稅", "a long string that is not inlined"])),
            &DataType::Utf8,
        );
        let codes: DictionaryArray<Int32Type> = ["北", "南", "北"].into_iter().collect();
        check(Arc::new(codes), &DataType::Utf8);
        let narrow = Decimal32Array::from(vec![123]).with_precision_and_scale(5, 2).unwrap();
        check(Arc::new(narrow), &DataType::Decimal128(5, 2));
        let inner = Arc::new(Field::new("name", DataType::Utf8View, true));
        let people = StructArray::from(vec![(
            inner,
            Arc::new(StringViewArray::from(vec![Some("王"), None])) as ArrayRef,
        )]);
        let expected = DataType::Struct(vec![Field::new("name", DataType::Utf8, true)].into());
        check(Arc::new(people), &expected);
    }

    #[test]
    fn values_survive() {
        let codes: DictionaryArray<Int32Type> = vec![Some("北"), None, Some("南")].into_iter().collect();
        let batch =
            RecordBatch::try_from_iter_with_nullable([("c", Arc::new(codes) as ArrayRef, true)]).unwrap();
        let sent = to_wire(&batch, &wire_schema(&batch.schema())).unwrap();
        let values: Vec<_> = sent.column(0).as_string::<i32>().iter().collect();
        assert_eq!(values, [Some("北"), None, Some("南")]);
    }

    #[test]
    fn a_null_where_none_was_announced_is_an_error() {
        let batch = RecordBatch::try_from_iter_with_nullable([(
            "c",
            Arc::new(StringViewArray::from(vec![Some("a"), None])) as ArrayRef,
            true,
        )])
        .unwrap();
        let announced = Arc::new(Schema::new(vec![Field::new("c", DataType::Utf8, false)]));
        assert!(to_wire(&batch, &announced).is_err());
    }
}
