//! What one query has delivered, and may deliver and read.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::plain_size::plain_size;
use super::scanned::Scanned;
use crate::error::{EngineError, Result};
use crate::options::{LimitName, QueryLimits};

/// The limits of one running query, and how much of them it has used.
pub(super) struct Limited {
    limits: QueryLimits,
    scanned: Option<Arc<Scanned>>,
    rows: u64,
    bytes: u64,
}

impl Limited {
    pub(super) fn new(limits: QueryLimits, scanned: Option<Arc<Scanned>>) -> Self {
        Self { limits, scanned, rows: 0, bytes: 0 }
    }

    /// Counts a batch of the result before it is delivered.
    ///
    /// # Errors
    /// When the result is larger with it than it may be; then nothing of it is delivered.
    pub(super) fn deliver(&mut self, batch: &RecordBatch) -> Result<()> {
        if let Some(most) = self.limits.result_rows {
            self.rows = self.rows.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
            if self.rows > most {
                return Err(EngineError::Limit { name: LimitName::ResultRows, most });
            }
        }
        if let Some(most) = self.limits.result_bytes {
            self.bytes = self.bytes.saturating_add(u64::try_from(plain_size(batch)).unwrap_or(u64::MAX));
            if self.bytes > most {
                return Err(EngineError::Limit { name: LimitName::ResultBytes, most });
            }
        }
        Ok(())
    }

    /// That the query has read no more than it may: whatever failed after that failed because of it.
    ///
    /// # Errors
    /// When it has read more.
    pub(super) fn check_scanned(&self) -> Result<()> {
        self.scanned.as_ref().map_or(Ok(()), |scanned| scanned.check())
    }
}
