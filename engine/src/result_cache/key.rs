//! When an answer may be given again.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use sha2::{Digest, Sha256};

use crate::execute::{file_scan, reads_nothing};

/// Two queries with equal keys have the same answer: the same optimized plan, in which the policy's filters and masks
/// are, over the same versions of the same files, with the same settings. The operators are part of it, for a count may
/// stand in them that was read from the files' footers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ResultKey {
    plan: Arc<LogicalPlan>,
    pub(super) schema: SchemaRef,
    /// SHA-256 of the policy's version, the settings, the operators, and each file's name, size, time and tag.
    rest: [u8; 32],
    size: usize,
}

impl ResultKey {
    /// Bytes it holds, roughly.
    pub(super) fn size(&self) -> usize {
        self.size
    }
}

/// The key of a query; `None` when its answer may be another the next time, or depends on more than files.
///
/// # Errors
/// When the plan cannot be walked.
pub(crate) fn result_key(
    optimized: &LogicalPlan,
    operators: &Arc<dyn ExecutionPlan>,
    policy: &str,
    state: &SessionState,
) -> Result<Option<ResultKey>> {
    if !is_repeatable(optimized)? {
        return Ok(None);
    }
    let Some(scans) = file_scans(operators)? else { return Ok(None) };
    let mut digest = Sha256::new();
    digest.update(settings_digest(state));
    let mut add = |text: &str| add_text(&mut digest, text);
    add(policy);
    let shown = displayable(operators.as_ref()).indent(true).to_string();
    add(&shown);
    for file in scans.iter().flat_map(|scan| &scan.file_groups).flat_map(|group| group.iter()) {
        let meta = &file.object_meta;
        add(meta.location.as_ref());
        add(&format!("{} {:?} {:?} {:?}", meta.size, meta.last_modified, meta.e_tag, meta.version));
    }
    Ok(Some(ResultKey {
        plan: Arc::new(optimized.clone()),
        schema: operators.schema(),
        rest: digest.finalize().into(),
        // A plan is about as large as its text.
        size: shown.len() * 4,
    }))
}

/// SHA-256 of all settings of a session.
pub(super) fn settings_digest(state: &SessionState) -> [u8; 32] {
    let mut digest = Sha256::new();
    for setting in state.config_options().entries() {
        add_text(&mut digest, &setting.key);
        add_text(&mut digest, setting.value.as_deref().unwrap_or_default());
    }
    digest.finalize().into()
}

fn add_text(digest: &mut Sha256, text: &str) {
    digest.update(text.len().to_le_bytes());
    digest.update(text);
}

/// The scans of `plan`; `None` when something else than files is read.
fn file_scans(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<FileScanConfig>>> {
    let mut scans = Some(Vec::new());
    plan.apply(|operator| {
        if operator.children().is_empty() && !reads_nothing(operator.as_ref()) {
            match (file_scan(operator.as_ref()), &mut scans) {
                (Some(scan), Some(scans)) => scans.push(scan.clone()),
                _ => scans = None,
            }
        }
        Ok(if scans.is_some() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(scans)
}

/// Whether the plan only reads, and says everything that it depends on besides tables: `now()` is a constant in it by
/// now, `random()` is not.
pub(super) fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut repeatable = true;
    plan.apply_with_subqueries(|node| {
        repeatable &= !matches!(
            node,
            LogicalPlan::Explain(_)
                | LogicalPlan::Analyze(_)
                | LogicalPlan::Ddl(_)
                | LogicalPlan::Dml(_)
                | LogicalPlan::Copy(_)
                | LogicalPlan::Statement(_)
                | LogicalPlan::DescribeTable(_)
        );
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                repeatable &= volatility(part) == Volatility::Immutable;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(repeatable)
}

fn volatility(part: &Expr) -> Volatility {
    match part {
        Expr::ScalarFunction(call) => call.func.signature().volatility,
        Expr::AggregateFunction(call) => call.func.signature().volatility,
        Expr::WindowFunction(call) => call.fun.signature().volatility,
        Expr::HigherOrderFunction(_) | Expr::ScalarVariable(..) | Expr::Placeholder(_) => {
            Volatility::Volatile
        }
        _ => Volatility::Immutable,
    }
}
