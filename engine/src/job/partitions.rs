//! Into which partitions a job's work is cut.

use std::collections::BTreeSet;

use futures::TryStreamExt;

use crate::catalog::Lake;
use crate::error::{EngineError, ErrorKind, Result};
use crate::execute::Query;
use crate::job::definition::PartitionRule;
use crate::job::value::{Partition, PartitionValue};
use crate::plan::sql_literal::identifier;
use crate::session::Session;

/// The column that tells the groups of files apart.
const GROUP: &str = "file_group";

/// The partitions, and what was read to find them.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    pub(crate) columns: Vec<String>,
    pub(crate) all: Vec<Partition>,
    /// For groups of files: the table, and the files of each partition below the lake's root.
    pub(crate) groups: Vec<Vec<String>>,
    pub(crate) tables: BTreeSet<String>,
}

/// The partitions of `job` now, in the order of their values.
///
/// # Errors
/// When they cannot be asked for, are none, are NULL, or two are the same.
pub(crate) async fn partitions(
    session: &Session,
    lake: &Lake,
    rule: Option<&PartitionRule>,
    job: &str,
) -> Result<Partitions> {
    match rule {
        None => Ok(Partitions { all: vec![Partition::default()], ..Partitions::default() }),
        Some(PartitionRule::Column { table, column }) => {
            let (schema, name) = table.split_once('.').unwrap_or(("", table));
            let column = identifier(column);
            let sql = format!(
                "SELECT DISTINCT {column} FROM {}.{} ORDER BY {column}",
                identifier(schema),
                identifier(name)
            );
            answered(session.query(&sql).await?, job).await
        }
        Some(PartitionRule::Query { sql }) => answered(session.query(sql).await?, job).await,
        Some(PartitionRule::Files { table, groups }) => grouped(lake, table, *groups, job).await,
    }
}

fn refuse(job: &str, reason: String) -> EngineError {
    EngineError::job(job, ErrorKind::Usage, reason)
}

async fn answered(query: Query, job: &str) -> Result<Partitions> {
    let columns: Vec<String> = query.schema().fields().iter().map(|field| field.name().clone()).collect();
    let tables = query.tables().clone();
    let (mut all, mut folders) = (Vec::new(), BTreeSet::new());
    let mut batches = query.execute().await?;
    while let Some(batch) = batches.try_next().await? {
        for row in 0..batch.num_rows() {
            let mut partition = Partition::default();
            for (index, column) in columns.iter().enumerate() {
                let value = PartitionValue::at(&batch, index, row)
                    .map_err(|reason| refuse(job, format!("a partition's value of {column} {reason}")))?;
                partition.values.push((column.clone(), value));
            }
            if !folders.insert(partition.texts()) {
                return Err(refuse(
                    job,
                    format!(
                        "the partition {partition} comes twice: take DISTINCT values in the partition query"
                    ),
                ));
            }
            all.push(partition);
        }
    }
    if all.is_empty() {
        return Err(refuse(
            job,
            "there are no partitions: the table or query that gives them has no rows".to_owned(),
        ));
    }
    all.sort();
    Ok(Partitions { columns, all, groups: Vec::new(), tables })
}

async fn grouped(lake: &Lake, table: &str, groups: usize, job: &str) -> Result<Partitions> {
    let (schema, name) = table.split_once('.').unwrap_or(("", table));
    let Some(listing) = lake.listing(schema, name).await? else {
        return Err(refuse(job, format!("partition.table: the table {table} does not exist")));
    };
    let files: Vec<String> = listing.files.iter().map(|file| lake.below_root(&file.meta.location)).collect();
    let groups = groups.min(files.len()).max(1);
    let (mut all, mut cut) = (Vec::new(), Vec::new());
    for group in 0..groups {
        let range = group * files.len() / groups..(group + 1) * files.len() / groups;
        let number = PartitionValue::Integer(i64::try_from(group).unwrap_or(i64::MAX));
        all.push(Partition { values: vec![(GROUP.to_owned(), number)] });
        cut.push(files.get(range).unwrap_or_default().to_vec());
    }
    Ok(Partitions {
        columns: vec![GROUP.to_owned()],
        all,
        groups: cut,
        tables: BTreeSet::from([table.to_owned()]),
    })
}
