//! A session's way to create a rollup.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::datasource::source_as_provider;
use datafusion::functions::core::arrow_cast;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::sql::unparser::expr_to_sql;
use object_store::{ObjectMeta, ObjectStoreExt};
use tithe_udfs::distinct_sketch;

use crate::catalog::{Lake, LakeTable, TableFormat};
use crate::change::check_may_lay_out;
use crate::error::{EngineError, Result};
use crate::rollup::combine::EXACT;
use crate::rollup::definition::Definition;
use crate::rollup::manifest::{Manifest, VERSION};
use crate::rollup::place::RollupFolder;
use crate::session::Session;
use crate::write::{Put, WriteStore};

/// A table of the lake that has, or is to have, a rollup.
pub(super) struct Target<'a> {
    pub(super) session: &'a Session,
    pub(super) lake: &'a Arc<Lake>,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) folder: RollupFolder,
}

impl Session {
    /// Creates the rollup `name` of what `sql` says, `SELECT keys, aggregates FROM schema.table GROUP BY keys`; it has no
    /// segments yet. Returns schema and name of the table.
    ///
    /// # Errors
    /// When the statement is another one, or names what a rollup cannot keep; the principal may not write or does not see
    /// the whole table; the rollup is there already, or the store refuses.
    pub async fn create_rollup(&self, name: &str, sql: &str) -> Result<(String, String)> {
        let query = self.query(sql).await?;
        let Asked { schema, table, keys, measures } = asked(query.logical_plan())?;
        let target = self.target(&schema, &table, name).await?;
        target.check_parquet().await?;
        let columns = self.table_schema(&schema, &table).await?;
        let keys = once_each(keys.iter().map(text).collect::<Result<Vec<_>>>()?);
        let mut kept = Vec::with_capacity(measures.len());
        for measure in &measures {
            kept.extend(parts(measure, &columns)?);
        }
        let measures = once_each(kept.iter().map(text).collect::<Result<Vec<_>>>()?);
        // What is written down is what will be read.
        Definition::parse(&keys, &measures, &columns, target.lake.state())?;
        let manifest =
            Manifest { version: VERSION, keys, measures, segments: Vec::new(), retired: Vec::new() };
        let store = WriteStore::of(target.lake);
        match store.create(&target.folder.manifest(), manifest.encoded()?).await? {
            Put::Done => Ok((schema, table)),
            Put::Forestalled => Err(EngineError::Write {
                table: target.folder.table.clone(),
                reason: format!(
                    "it has a rollup {name} already: refresh or drop that one, or take another name"
                ),
            }),
        }
    }

    /// The table and folder of a rollup that the principal may change.
    pub(super) async fn target(&self, schema: &str, table: &str, name: &str) -> Result<Target<'_>> {
        let full_name = format!("{schema}.{table}");
        if self.options.read_only && !self.options.writes_lake {
            return Err(EngineError::ReadOnly { what: format!("changing rollups of {full_name}") });
        }
        let columns = self.table_schema(schema, table).await?;
        let Some(lake) = &self.engine.lake else {
            return Err(EngineError::Unknown {
                what: "table",
                name: full_name,
                hint: "; no lake is open".to_owned(),
            });
        };
        check_may_lay_out(self.authority.as_ref(), schema, table, &columns, "changing rollups of")?;
        let folder = RollupFolder::new(lake.root(), schema, table, name)?;
        Ok(Target { session: self, lake, schema: schema.to_owned(), table: table.to_owned(), folder })
    }
}

impl Target<'_> {
    /// The manifest as it lies.
    ///
    /// # Errors
    /// When there is none, with the nearest names; or the store refuses.
    pub(super) async fn manifest(&self, store: &WriteStore) -> Result<ObjectMeta> {
        match store.objects().head(&self.folder.manifest()).await {
            Ok(meta) => Ok(meta),
            Err(object_store::Error::NotFound { .. }) => {
                Err(self.session.no_such_rollup(&self.schema, &self.table, &self.folder.name).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A rollup of raw files would hide what is wrong with them.
    async fn check_parquet(&self) -> Result<()> {
        let refuse = |reason: &str| EngineError::NotAllowed {
            what: format!("a rollup of {}", self.folder.table),
            reason: reason.to_owned(),
        };
        match self.lake.listing(&self.schema, &self.table).await? {
            Some(listing) if listing.format == TableFormat::Parquet => Ok(()),
            Some(_) => Err(refuse(
                "its files are raw ones as they were delivered; make a table of them with CREATE TABLE … AS SELECT",
            )),
            None => Err(refuse("it is no table of the lake")),
        }
    }
}

/// What a statement says of a rollup.
struct Asked {
    schema: String,
    table: String,
    keys: Vec<Expr>,
    measures: Vec<Expr>,
}

/// Keys and aggregates of a plan that was not optimized.
fn asked(plan: &LogicalPlan) -> Result<Asked> {
    let refuse = |reason: &str| EngineError::NotAllowed {
        what: "this statement for a rollup".to_owned(),
        reason: format!("{reason}; write SELECT keys, aggregates FROM schema.table GROUP BY keys"),
    };
    let mut below = plan;
    while let LogicalPlan::Projection(projection) = below {
        below = &projection.input;
    }
    let Aggregate { input, group_expr, aggr_expr, .. } = match below {
        LogicalPlan::Aggregate(aggregate) => aggregate,
        LogicalPlan::Filter(_) => {
            return Err(refuse("a rollup is of all groups, and HAVING leaves some out"));
        }
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => {
            return Err(refuse("a rollup has no order and is of all groups: leave out ORDER BY and LIMIT"));
        }
        LogicalPlan::Distinct(_) => return Err(refuse("say GROUP BY in the place of DISTINCT")),
        _ => return Err(refuse("it is no aggregate of a table")),
    };
    let mut from = input.as_ref();
    while let LogicalPlan::SubqueryAlias(alias) = from {
        from = &alias.input;
    }
    let scan = match from {
        LogicalPlan::TableScan(scan) => scan,
        LogicalPlan::Filter(_) => {
            return Err(refuse(
                "a rollup is of all rows, and WHERE leaves some out: make what it looks at a key",
            ));
        }
        _ => return Err(refuse("it reads something else than one table as it is")),
    };
    let provider = source_as_provider(&scan.source)?;
    let provider: &dyn Any = provider.as_ref();
    let Some(table) = provider.downcast_ref::<LakeTable>() else {
        return Err(refuse("it reads something else than a table of the lake"));
    };
    if group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
        return Err(refuse("it has grouping sets, which are made of the finest groups anyway"));
    }
    let (schema, table) = table.name();
    Ok(Asked {
        schema: schema.to_owned(),
        table: table.to_owned(),
        keys: group_expr.clone(),
        measures: aggr_expr.clone(),
    })
}

/// What is kept for an aggregate that is asked for.
fn parts(measure: &Expr, columns: &SchemaRef) -> Result<Vec<Expr>> {
    if let Some(parts) = parts_of_mean(measure, columns)? {
        return Ok(parts.into());
    }
    if let Expr::AggregateFunction(call) = measure
        && call.func.name() == "approx_distinct"
        && call.params.filter.is_none()
    {
        return Ok(vec![distinct_sketch().call(call.params.args.clone())]);
    }
    Ok(vec![measure.clone()])
}

/// Of a mean the sum and the count that it is made of; `None` for any other aggregate.
fn parts_of_mean(measure: &Expr, columns: &SchemaRef) -> Result<Option<[Expr; 2]>> {
    let Expr::AggregateFunction(call) = measure else { return Ok(None) };
    let [argument] = call.params.args.as_slice() else { return Ok(None) };
    let is_plain = !call.params.distinct && call.params.filter.is_none() && call.params.order_by.is_empty();
    if call.func.name() != "avg" || !is_plain {
        return Ok(None);
    }
    let argument = bare(argument)?;
    let kind = argument.get_type(&DFSchema::try_from(Arc::clone(columns))?)?;
    // A sum of whole numbers of 64 bits may have more. DataFusion calls a cast by the name of what is cast, and would have two
    // sums of one name.
    let summed = match kind.is_integer() {
        true => arrow_cast().call(vec![argument.clone(), lit(EXACT.to_string())]),
        false => argument.clone(),
    };
    Ok(Some([sum(summed), count(argument)]))
}

/// Each text where it comes first.
fn once_each(texts: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

/// An expression without the names of tables.
fn bare(expression: &Expr) -> Result<Expr> {
    let bare = expression.clone().unalias_nested().data.transform(|part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            other => Transformed::no(other),
        })
    })?;
    Ok(bare.data)
}

/// An expression as it is written in a rollup.
fn text(expression: &Expr) -> Result<String> {
    let bare = bare(expression)?;
    let counts_rows = matches!(&bare, Expr::AggregateFunction(call)
        if call.func.name() == "count"
            && !call.params.distinct
            && matches!(call.params.args.as_slice(), [Expr::Literal(value, _)] if !value.is_null())
            && call.params.filter.is_none());
    if counts_rows {
        return Ok("count(*)".to_owned());
    }
    Ok(expr_to_sql(&bare)?.to_string())
}
