//! The values that tell a partition from the others.

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};

/// A value of a partition, of the type that it has in the query.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub(crate) enum PartitionValue {
    Integer(i64),
    Text(String),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
}

impl PartitionValue {
    /// The value at `row` of the column at `index`.
    ///
    /// # Errors
    /// A reason, when it is NULL or of another type.
    pub(crate) fn at(batch: &RecordBatch, index: usize, row: usize) -> std::result::Result<Self, String> {
        let array = batch.column(index);
        let target = match array.data_type() {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            other => other.clone(),
        };
        let target = match target {
            kind if kind.is_integer() => DataType::Int64,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
            DataType::Boolean => DataType::Boolean,
            DataType::Date32 | DataType::Date64 => DataType::Date32,
            other => return Err(format!("is {other}: cast it to a whole number, text, date or boolean")),
        };
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let one = cast_with_options(&array.slice(row, 1), &target, &strict)
            .map_err(|error| format!("does not fit: {error}"))?;
        let value = ScalarValue::try_from_array(&one, 0).map_err(|error| error.to_string())?;
        match value {
            ScalarValue::Int64(Some(number)) => Ok(Self::Integer(number)),
            ScalarValue::Utf8(Some(text)) => Ok(Self::Text(text)),
            ScalarValue::Boolean(Some(yes)) => Ok(Self::Boolean(yes)),
            ScalarValue::Date32(Some(days)) => Ok(Self::Date(days)),
            _ => Err(
                "is NULL, and no condition finds NULL: leave it out, or give it a value with coalesce in a \
                      partition query"
                    .to_owned(),
            ),
        }
    }

    /// The value that is bound in the query.
    pub(crate) fn scalar(&self) -> ScalarValue {
        match self {
            Self::Integer(number) => ScalarValue::Int64(Some(*number)),
            Self::Text(text) => ScalarValue::Utf8(Some(text.clone())),
            Self::Boolean(yes) => ScalarValue::Boolean(Some(*yes)),
            Self::Date(days) => ScalarValue::Date32(Some(*days)),
        }
    }
}

impl std::fmt::Display for PartitionValue {
    /// As it stands in the name of the partition's folder, before it is escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Boolean(yes) => write!(f, "{yes}"),
            Self::Date(_) => write!(f, "{}", self.scalar()),
        }
    }
}

/// One partition: its columns and their values, in order; none for a job that is not cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Partition {
    pub(crate) values: Vec<(String, PartitionValue)>,
}

impl Partition {
    /// Column and value as text.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        self.values.iter().map(|(column, value)| (column.clone(), value.to_string())).collect()
    }

    pub(crate) fn scalars(&self) -> Vec<ScalarValue> {
        self.values.iter().map(|(_, value)| value.scalar()).collect()
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.values.is_empty() {
            return f.write_str("(all)");
        }
        let texts = self.values.iter().map(|(column, value)| format!("{column}={value}"));
        f.write_str(&texts.collect::<Vec<_>>().join("/"))
    }
}

/// `batch` without the columns that its folder tells, once it is sure that they tell the same.
///
/// # Errors
/// When a row belongs to another partition.
pub(crate) fn without_partition_columns(
    batch: &RecordBatch,
    partition: &Partition,
    table: &str,
) -> Result<RecordBatch> {
    let mut keep: Vec<usize> = Vec::new();
    for (index, field) in batch.schema_ref().fields().iter().enumerate() {
        let Some((_, expected)) = partition.values.iter().find(|(column, _)| column == field.name()) else {
            keep.push(index);
            continue;
        };
        for row in 0..batch.num_rows() {
            let found = PartitionValue::at(batch, index, row);
            if found.as_ref().map(ToString::to_string) != Ok(expected.to_string()) {
                let found = found.map_or_else(|_null| "NULL".to_owned(), |value| value.to_string());
                return Err(EngineError::Write {
                    table: table.to_owned(),
                    reason: format!(
                        "a row of the partition {partition} has {found} in {}: let the query answer for the \
                         partition that it is given alone",
                        field.name()
                    ),
                });
            }
        }
    }
    Ok(batch.project(&keep).map_err(datafusion::error::DataFusionError::from)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, StringArray};

    use super::*;

    fn batch(column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("k", column)]).unwrap()
    }

    #[test]
    fn values_keep_their_type() {
        let check = |column: ArrayRef, expected: &str| {
            let value = PartitionValue::at(&batch(column), 0, 0).unwrap();
            let written = serde_json::to_string(&value).unwrap();
            assert_eq!(written, expected);
            assert_eq!(serde_json::from_str::<PartitionValue>(&written).unwrap(), value);
        };
        check(Arc::new(Int32Array::from(vec![7])), r#"{"type":"integer","value":7}"#);
        check(Arc::new(StringArray::from(vec!["7"])), r#"{"type":"text","value":"7"}"#);
        check(Arc::new(Date32Array::from(vec![1])), r#"{"type":"date","value":1}"#);
        assert_eq!(PartitionValue::Date(1).to_string(), "1970-01-02");
        let null = PartitionValue::at(&batch(Arc::new(StringArray::from(vec![None::<&str>]))), 0, 0);
        assert!(null.unwrap_err().starts_with("is NULL"));
        let float = PartitionValue::at(&batch(Arc::new(Float64Array::from(vec![0.5]))), 0, 0);
        assert!(float.unwrap_err().starts_with("is Float64"));
    }

    #[test]
    fn rows_of_another_partition_are_refused() {
        let batch = RecordBatch::try_from_iter([
            ("k", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef),
            ("n", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        ])
        .unwrap();
        let a = Partition { values: vec![("k".to_owned(), PartitionValue::Text("a".to_owned()))] };
        let kept = without_partition_columns(&batch.slice(0, 1), &a, "s.t").unwrap();
        assert_eq!((kept.num_columns(), kept.num_rows()), (1, 1));
        let error = without_partition_columns(&batch, &a, "s.t").unwrap_err().to_string();
        assert!(error.contains("a row of the partition k=a has b in k"), "{error}");
    }
}
