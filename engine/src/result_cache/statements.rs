//! Statements whose plans and answers are known: whoever asks one again over the same files is answered without planning it.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::LogicalPlan;
use futures::future::try_join_all;

use super::ResultKey;
use super::key::{is_repeatable, settings_digest};
use crate::audit::Audit;
use crate::catalog::LakeTable;
use crate::error::Result;
use crate::policy::Principal;

/// Bytes that a plan takes besides its text and its files, roughly.
const PLAN_BYTES: usize = 32 << 10;
/// Bytes that a plan takes for a character of its statement, roughly.
const BYTES_PER_CHARACTER: usize = 16;
/// Bytes of one file in the list of a table, roughly.
const FILE_BYTES: usize = 400;

/// A statement, and all that says what it means but the files: who asks, under which policy, with which settings. It has
/// no parameters, and its session no tables of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct StatementKey {
    sql: String,
    principal: Principal,
    policy: String,
    settings: [u8; 32],
}

impl StatementKey {
    pub(crate) fn new(sql: &str, principal: &Principal, policy: &str, state: &SessionState) -> Self {
        let (sql, policy) = (sql.to_owned(), policy.to_owned());
        Self { sql, principal: principal.clone(), policy, settings: settings_digest(state) }
    }
}

/// How a statement was planned.
#[derive(Debug)]
pub(crate) struct Planned {
    /// As the policy permits it, before it was optimized.
    pub(crate) plan: LogicalPlan,
    pub(crate) schema: SchemaRef,
    /// What the audit says that it reads.
    pub(crate) tables: BTreeSet<String>,
    pub(crate) columns: BTreeMap<String, BTreeSet<String>>,
}

impl Planned {
    /// `plan` of the statement with `key`; `None` if it was permitted by another policy than the one in the key.
    pub(crate) fn of(
        key: &StatementKey,
        plan: &LogicalPlan,
        schema: &SchemaRef,
        audit: &Audit,
    ) -> Option<Self> {
        (key.policy == audit.policy).then(|| Self {
            plan: plan.clone(),
            schema: Arc::clone(schema),
            tables: audit.tables.clone(),
            columns: audit.columns.clone(),
        })
    }
}

/// A statement that is known.
#[derive(Debug)]
pub(crate) struct KnownStatement {
    pub(crate) planned: Planned,
    pub(crate) optimized: LogicalPlan,
    /// The lake's tables in it, as they were listed for it.
    reads: Vec<Arc<LakeTable>>,
    /// What its answer is kept under.
    pub(super) answer: ResultKey,
    bytes: usize,
    /// Gives the memory back when the last one who uses it lets go of it.
    _reservation: MemoryReservation,
}

impl KnownStatement {
    /// A statement whose operators have just been planned, with `answer` for the key of its answer; `None` when it may mean
    /// something else the next time, reads anything but tables of the lake, other files were found meanwhile than it was
    /// planned for, or `reserve` has no room for it.
    ///
    /// # Errors
    /// When the plan cannot be walked.
    pub(super) fn of(
        key: &StatementKey,
        planned: Planned,
        optimized: &LogicalPlan,
        answer: ResultKey,
        reserve: impl FnOnce(usize) -> Option<MemoryReservation>,
    ) -> Result<Option<Self>> {
        if !is_repeatable(&planned.plan)? {
            return Ok(None);
        }
        let Some(reads) = lake_tables(&planned.plan)? else { return Ok(None) };
        // Its scans have looked by now.
        if reads.iter().any(|table| table.has_changed()) {
            return Ok(None);
        }
        let files: usize =
            reads.iter().map(|table| table.listed_files().len() + table.rollup_files().len()).sum();
        let bytes = PLAN_BYTES + key.sql.len() * BYTES_PER_CHARACTER + files * FILE_BYTES;
        let Some(reservation) = reserve(bytes) else { return Ok(None) };
        let optimized = optimized.clone();
        Ok(Some(Self { planned, optimized, reads, answer, bytes, _reservation: reservation }))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the files of its tables are those that it was planned for.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(crate) async fn still_holds(&self) -> Result<bool> {
        try_join_all(self.reads.iter().map(|table| table.listing_now())).await?;
        Ok(!self.reads.iter().any(|table| table.has_changed()))
    }
}

/// The tables that `plan` reads, also in subqueries; `None` if one is not a whole table of the lake.
fn lake_tables(plan: &LogicalPlan) -> Result<Option<Vec<Arc<LakeTable>>>> {
    let mut tables = Some(Vec::new());
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider: Arc<dyn Any + Send + Sync> = source_as_provider(&scan.source)?;
            match (provider.downcast::<LakeTable>(), &mut tables) {
                (Ok(table), Some(tables)) if !table.is_part() => tables.push(table),
                _ => tables = None,
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(tables)
}
