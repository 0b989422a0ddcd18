//! The rows of one query, held in memory to be told about.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Date32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use tithe_engine::Session;
use tithe_queries::find;

use crate::failure::{Failure, Result};

/// A query's answer.
pub(crate) struct Answer {
    batch: RecordBatch,
}

impl Answer {
    /// Runs the library query `name` with the parameters given and the defaults of the others.
    pub(crate) async fn of_library(session: &Session, name: &str, given: &[(&str, &str)]) -> Result<Self> {
        let given: BTreeMap<String, String> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let query = find(name).map_err(|error| Failure::failed(error.to_string()))?;
        let sql = query.bind(&given).map_err(|error| Failure::failed(error.to_string()))?;
        Self::of_sql(session, name, &sql).await
    }

    /// Runs `sql`; `name` is what an error calls it.
    pub(crate) async fn of_sql(session: &Session, name: &str, sql: &str) -> Result<Self> {
        let failed = |error: &tithe_engine::EngineError| {
            Failure::of_statement(error).within(&format!("the query {name} failed"))
        };
        let query = session.query(sql).await.map_err(|error| failed(&error))?;
        let schema = query.schema();
        let batches = query.collect().await.map_err(|error| failed(&error))?;
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        let batch = concat_batches(&schema, &batches)
            .map_err(|error| Failure::failed(format!("the query {name} failed: {error}")))?;
        Ok(Self { batch })
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The values of a column as text; NULL is empty.
    pub(crate) fn texts(&self, column: &str) -> Result<Vec<String>> {
        let values = self.column(column)?;
        let options = FormatOptions::default();
        let formatter =
            ArrayFormatter::try_new(values, &options).map_err(|error| unreadable(column, &error))?;
        Ok((0..self.len()).map(|row| formatter.value(row).to_string()).collect())
    }

    /// The values of a numeric column.
    pub(crate) fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        let values =
            cast(self.column(column)?, &DataType::Float64).map_err(|error| unreadable(column, &error))?;
        Ok(values.as_primitive::<Float64Type>().iter().collect())
    }

    /// The values of a column of days.
    pub(crate) fn days(&self, column: &str) -> Result<Vec<Option<NaiveDate>>> {
        let values =
            cast(self.column(column)?, &DataType::Date32).map_err(|error| unreadable(column, &error))?;
        let days = values.as_primitive::<Date32Type>();
        Ok((0..self.len())
            .map(|row| (!days.is_null(row)).then(|| days.value_as_date(row)).flatten())
            .collect())
    }

    fn column(&self, name: &str) -> Result<&dyn Array> {
        match self.batch.column_by_name(name) {
            Some(values) => Ok(values.as_ref()),
            None => Err(Failure::failed(format!("the answer has no column {name}"))),
        }
    }
}

fn unreadable(column: &str, error: &arrow::error::ArrowError) -> Failure {
    Failure::failed(format!("the answer's column {column} cannot be shown: {error}"))
}
