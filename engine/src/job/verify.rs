//! Runs partitions again and compares what is stored with what comes out now.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::row::{RowConverter, SortField};
use bytes::Bytes;
use datafusion::error::DataFusionError;
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};

use crate::error::{ErrorKind, Result};
use crate::job::compute;
use crate::job::inputs::{changes, inputs};
use crate::job::plan::{Planned, plan};
use crate::job::record::{DoneRecord, Plan};
use crate::job::run::{Job, JobProgress};
use crate::write::hexadecimal;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobVerified {
    /// Partitions that were run again.
    pub partitions: usize,
    /// Rows of those as stored.
    pub rows: u64,
    /// Partitions that differ.
    pub differences: Vec<Difference>,
    /// Why an answer may differ now, a phrase each.
    pub reasons: Vec<String>,
}

/// A partition that is stored otherwise than it comes out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As `column=value`.
    pub partition: String,
    /// What differs.
    pub what: String,
}

impl Job {
    /// Runs `sample` of the partitions that are there again, or all of them, and compares every bit of their rows,
    /// whatever their order. The same `seed` takes the same sample.
    ///
    /// # Errors
    /// When nothing is there, the job's definition is another than that of what is there, or a query fails.
    pub async fn verify(
        &self,
        sample: Option<usize>,
        seed: u64,
        progress: &dyn JobProgress,
    ) -> Result<JobVerified> {
        let state = self.log.read().await?;
        let Some(before) = state.plan.as_ref().filter(|_| !state.done.is_empty()) else {
            return Err(self.error(ErrorKind::NotFound, "nothing of it is there to verify: run it first"));
        };
        let Planned { plan: now, schema, .. } = plan(&self.session, &self.lake, &self.definition).await?;
        if before.query_sha256 != now.query_sha256 || before.cut != now.cut {
            return Err(self.error(
                ErrorKind::Usage,
                "its file says another query or other partitions than what is stored was made by: verify with the \
                 file as it was, or run it with --restart",
            ));
        }
        let chosen = sampled(before, &state.done, sample, seed);
        progress.begins(chosen.len(), 0);
        let mut verified = JobVerified {
            partitions: chosen.len(),
            rows: 0,
            differences: Vec::new(),
            reasons: self.reasons(before).await?,
        };
        for (place, done) in chosen {
            verified.rows += done.file.rows;
            let rows = compute::rows(&self.session, before, place, &done.partition, &schema).await?;
            let difference = self.compare(done, rows).await?;
            progress.done(&done.partition.to_string(), done.file.rows);
            if let Some(what) = difference {
                verified.differences.push(Difference { partition: done.partition.to_string(), what });
            }
        }
        Ok(verified)
    }

    async fn reasons(&self, before: &Plan) -> Result<Vec<String>> {
        let tables = before.inputs.keys().cloned().collect();
        let mut reasons = changes(&before.inputs, &inputs(&self.lake, &tables).await?);
        let version = env!("CARGO_PKG_VERSION");
        if before.version != version {
            reasons.push(format!("it was made by Tithe {} and this is {version}", before.version));
        }
        let principal = &self.session.principal().name;
        if &before.principal != principal {
            reasons.push(format!("it was made as {} and this is {principal}", before.principal));
        }
        Ok(reasons)
    }

    /// What differs between the stored file and `rows`; `None` when nothing does.
    async fn compare(&self, done: &DoneRecord, rows: RecordBatch) -> Result<Option<String>> {
        let path = self.lake.at(&done.file.path)?;
        let bytes = match self.lake.store().get(&path).await {
            Ok(got) => got.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => {
                return Ok(Some(format!("the file {} is gone", done.file.path)));
            }
            Err(error) => return Err(error.into()),
        };
        if hexadecimal(&Sha256::digest(&bytes)) != done.file.sha256 {
            return Ok(Some(format!("the file {} is not the one that the job wrote", done.file.path)));
        }
        let again = compute::file(&self.session, rows.clone()).await?;
        if again.sha256 == done.file.sha256 {
            return Ok(None);
        }
        let stored = read(bytes)?;
        let (mut then, mut now) = (keys(&stored)?, keys(&rows)?);
        if stored.schema().fields().len() != rows.schema().fields().len() {
            return Ok(Some(format!(
                "it has {} columns, and now {}",
                stored.num_columns(),
                rows.num_columns()
            )));
        }
        then.sort();
        now.sort();
        if then == now {
            return Ok(None);
        }
        let lost = unmatched(&then, &now);
        let new = unmatched(&now, &then);
        Ok(Some(format!("{lost} of its {} rows do not come out now, and {new} others do", then.len())))
    }
}

/// At most `count` of the partitions that are there, with their places in the plan, in the plan's order.
fn sampled<'a>(
    plan: &Plan,
    done: &'a BTreeMap<crate::job::value::Partition, DoneRecord>,
    count: Option<usize>,
    seed: u64,
) -> Vec<(usize, &'a DoneRecord)> {
    let places = plan.partitions.iter().enumerate();
    let mut there: Vec<(usize, &DoneRecord)> =
        places.filter_map(|(place, partition)| Some((place, done.get(partition)?))).collect();
    if let Some(count) = count {
        // A digest scatters the seeds and partitions alike on every machine.
        there.sort_by_cached_key(|(_, done)| {
            hexadecimal(&Sha256::digest(format!("{seed} {}", done.file.path).as_bytes()))
        });
        there.truncate(count);
        there.sort_by_key(|(place, _)| *place);
    }
    there
}

fn read(bytes: Bytes) -> Result<RecordBatch> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(DataFusionError::from)?;
    let schema = std::sync::Arc::clone(builder.schema());
    let reader = builder.build().map_err(DataFusionError::from)?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(DataFusionError::from)?;
    Ok(concat_batches(&schema, &batches).map_err(DataFusionError::from)?)
}

/// Each row as bytes that are equal only where every bit of the values is.
fn keys(batch: &RecordBatch) -> Result<Vec<Vec<u8>>> {
    let fields =
        batch.schema().fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(DataFusionError::from)?;
    let rows = converter.convert_columns(batch.columns()).map_err(DataFusionError::from)?;
    Ok(rows.iter().map(|row| row.as_ref().to_vec()).collect())
}

/// How many of the sorted `these` have no partner among the sorted `those`.
fn unmatched(these: &[Vec<u8>], those: &[Vec<u8>]) -> usize {
    let mut those = those.iter().peekable();
    these
        .iter()
        .filter(|row| {
            while those.next_if(|other| other < row).is_some() {}
            those.next_if(|other| other == row).is_none()
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::unmatched;

    #[test]
    fn rows_without_a_partner_are_counted_as_often_as_they_are() {
        let rows = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
        assert_eq!(unmatched(&rows("aabc"), &rows("abd")), 2);
        assert_eq!(unmatched(&rows("abd"), &rows("aabc")), 1);
        assert_eq!(unmatched(&rows(""), &rows("a")), 0);
    }
}
