//! One schema for files whose schemas differ: by name, missing columns are NULL.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Unites the schemas of `files`, given in the order of their paths.
///
/// # Errors
/// A sentence that names both files when a column has two types.
pub(crate) fn unite<'a>(
    files: impl IntoIterator<Item = (String, &'a Schema)>,
) -> std::result::Result<SchemaRef, String> {
    let mut order: Vec<Column> = Vec::new();
    let mut positions: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for (file, schema) in files {
        count += 1;
        for field in schema.fields() {
            let Some(position) = positions.get(field.name()) else {
                positions.insert(field.name().clone(), order.len());
                let field = field.as_ref().clone();
                order.push(Column { file: file.clone(), files: 1, field });
                continue;
            };
            let Some(column) = order.get_mut(*position) else { continue };
            column.files += 1;
            column.add(&file, field)?;
        }
    }
    let fields: Vec<Field> = order
        .into_iter()
        .map(|column| {
            let nullable = column.field.is_nullable() || column.files < count;
            column.field.with_nullable(nullable)
        })
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

struct Column {
    /// The first file that has it.
    file: String,
    files: usize,
    field: Field,
}

impl Column {
    fn add(&mut self, file: &str, other: &Field) -> std::result::Result<(), String> {
        let nullable = self.field.is_nullable() || other.is_nullable();
        if self.field.data_type() == &DataType::Null {
            self.field = other.clone();
            self.file = file.to_owned();
        } else if other.data_type() != &DataType::Null
            && !same_type(self.field.data_type(), other.data_type())
        {
            return Err(format!(
                "column {} is {} in {} and {} in {file}: write both files with one type",
                other.name(),
                self.field.data_type(),
                self.file,
                other.data_type(),
            ));
        }
        self.field.set_nullable(nullable);
        Ok(())
    }
}

/// Equal but for the names and nullability inside lists and structs.
fn same_type(a: &DataType, b: &DataType) -> bool {
    a.equals_datatype(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: &[(&str, DataType, bool)]) -> Schema {
        Schema::new(
            fields
                .iter()
                .map(|(name, kind, null)| Field::new(*name, kind.clone(), *null))
                .collect::<Vec<_>>(),
        )
    }

    fn check(files: &[(&str, Schema)], expected: Result<&[(&str, DataType, bool)], &str>) {
        let united = unite(files.iter().map(|(name, schema)| ((*name).to_owned(), schema)));
        match expected {
            Ok(fields) => assert_eq!(united.unwrap().as_ref(), &schema(fields)),
            Err(message) => assert_eq!(united.unwrap_err(), message),
        }
    }

    #[test]
    fn united_by_name() {
        let a = || schema(&[("x", DataType::Int64, false), ("y", DataType::Utf8, false)]);
        let b = || schema(&[("z", DataType::Date32, false), ("x", DataType::Int64, true)]);
        check(
            &[("a", a()), ("b", b())],
            Ok(&[("x", DataType::Int64, true), ("y", DataType::Utf8, true), ("z", DataType::Date32, true)]),
        );
        check(&[("a", a())], Ok(&[("x", DataType::Int64, false), ("y", DataType::Utf8, false)]));
        let nothing = schema(&[("x", DataType::Null, true)]);
        check(
            &[("n", nothing.clone()), ("b", b())],
            Ok(&[("x", DataType::Int64, true), ("z", DataType::Date32, true)]),
        );
        check(
            &[("a", a()), ("c", schema(&[("x", DataType::Utf8, true)]))],
            Err("column x is Int64 in a and Utf8 in c: write both files with one type"),
        );
    }
}
