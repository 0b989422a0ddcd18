//! Rows whose answers wait for the last row that they equal.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::execution::memory_pool::MemoryReservation;

use super::calls::Calls;
use super::running::{Running, running};
use super::steps::{Steps, Walk};

/// What is carried from batch to batch.
pub(super) struct Carried {
    calls: Calls,
    walk: Walk,
    running: Vec<Box<dyn Running>>,
    /// The answers of the last row.
    last: Vec<ArrayRef>,
    /// Batches that end with rows which equal the first ones of the next batch, should they do.
    open: VecDeque<Open>,
    schema: SchemaRef,
    reservation: MemoryReservation,
}

/// A batch whose last rows have no answers yet.
struct Open {
    batch: RecordBatch,
    /// Of the rows before those.
    answers: Vec<ArrayRef>,
    bytes: usize,
}

impl Carried {
    /// Before the first row of `calls`, whose rows with their answers are of `schema`.
    ///
    /// # Errors
    /// When a call cannot be carried on.
    pub(super) fn new(calls: Calls, schema: SchemaRef, reservation: MemoryReservation) -> Result<Self> {
        let running = calls.calls.iter().map(running).collect::<Result<Vec<_>>>()?;
        let (walk, last, open) = (Walk::default(), Vec::new(), VecDeque::new());
        Ok(Self { calls, walk, running, last, open, schema, reservation })
    }

    /// Takes the next rows; gives those whose answers are known.
    ///
    /// # Errors
    /// When an argument cannot be computed, or the rows that wait do not fit into memory.
    pub(super) fn next(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let steps = self.walk.steps(&self.calls, &batch)?;
        let first = steps.equals.first().copied();
        let mut known = Vec::new();
        // Something else begins with the first row.
        if first == Some(0) {
            known = self.close()?;
        }
        let answers = self.running.iter_mut().map(|call| call.answers(&batch, &steps));
        let answers = answers.collect::<Result<Vec<ArrayRef>>>()?;
        let at = |row: usize| answers.iter().map(|answers| answers.slice(row, 1)).collect();
        // Something else begins within the batch.
        if let Some(before) = first.and_then(|first| first.checked_sub(1)) {
            self.last = at(before);
            known.extend(self.close()?);
        }
        self.last = at(steps.rows - 1);
        if !self.calls.calls.iter().any(|call| call.with_equals) {
            known.push(self.joined(&batch, answers)?);
            return Ok(known);
        }
        let answers = self.with_equals(answers, &steps)?;
        let bytes = get_record_batch_memory_size(&batch)
            + answers.iter().map(|answers| answers.get_array_memory_size()).sum::<usize>();
        self.reservation.try_grow(bytes)?;
        self.open.push_back(Open { batch, answers, bytes });
        Ok(known)
    }

    /// The rows that have waited, of which the last ones have the last answers.
    ///
    /// # Errors
    /// When columns cannot be put together.
    pub(super) fn close(&mut self) -> Result<Vec<RecordBatch>> {
        let mut known = Vec::with_capacity(self.open.len());
        while let Some(open) = self.open.pop_front() {
            let columns = open.answers.iter().zip(&self.last).map(|(answers, last)| {
                let waiting = open.batch.num_rows() - answers.len();
                if waiting == 0 {
                    return Ok(Arc::clone(answers));
                }
                let last = take(last, &UInt32Array::from(vec![0; waiting]), None)?;
                Ok(if answers.is_empty() { last } else { concat(&[answers, &last])? })
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            known.push(self.joined(&open.batch, columns)?);
            self.reservation.shrink(open.bytes);
        }
        Ok(known)
    }

    /// `answers` as of each row, but for those that belong to the last of equal rows: these as far as they are known.
    fn with_equals(&self, answers: Vec<ArrayRef>, steps: &Steps) -> Result<Vec<ArrayRef>> {
        let known = steps.equals.last().copied().unwrap_or(0);
        let last: UInt64Array = steps.last_equals().take(known).map(|row| row as u64).collect();
        let of_equals = |answers: ArrayRef| Ok(take(&answers, &last, None)?);
        let answers = answers.into_iter().zip(&self.calls.calls);
        answers
            .map(|(answers, call)| if call.with_equals { of_equals(answers) } else { Ok(answers) })
            .collect()
    }

    fn joined(&self, batch: &RecordBatch, answers: Vec<ArrayRef>) -> Result<RecordBatch> {
        let columns = batch.columns().iter().cloned().chain(answers).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
