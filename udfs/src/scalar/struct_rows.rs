use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

/// `List<Utf8>` as the functions return it.
pub(super) fn text_list_type() -> DataType {
    DataType::new_list(DataType::Utf8, true)
}

/// The fields of a struct, all nullable: a NULL struct has NULL fields.
pub(super) fn nullable_fields(fields: &[(&str, DataType)]) -> Fields {
    fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
}

/// A list of structs a row, cut from the structs of all rows by the rows' lengths.
pub(super) fn struct_lists(
    fields: Fields,
    columns: Vec<ArrayRef>,
    lengths: Vec<usize>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields.clone()), true));
    let structs = StructArray::try_new(fields, columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(structs), nulls)?))
}
