//! What a rollup is made of, as expressions over the columns of its table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, TableReference};
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::{count, min_max, sum};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use tithe_udfs::distinct_sketch;

use crate::error::{EngineError, Result, plain};

/// How the columns of a rollup's table are qualified in its expressions, so that they are not taken for others.
pub(super) const BASE: &str = "the table of the rollup";

/// The keys and the measures.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(super) keys: Vec<Key>,
    pub(super) measures: Vec<Measure>,
    /// The columns of the table, qualified by [`BASE`].
    pub(super) base: DFSchemaRef,
}

/// What rows are grouped by.
#[derive(Debug)]
pub(super) struct Key {
    /// As it is written, and the column's name in the segments.
    pub(super) text: String,
    pub(super) expression: Expr,
}

/// What is computed of a group.
#[derive(Debug)]
pub(super) struct Measure {
    /// As it is written, and the column's name in the segments.
    pub(super) text: String,
    pub(super) kind: MeasureKind,
    /// What is aggregated; of a count of rows a constant.
    pub(super) argument: Expr,
}

/// The aggregates whose value over several groups is made of their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeasureKind {
    Count,
    Sum,
    Min,
    Max,
    /// A sketch that the estimate of `approx_distinct` is made of.
    Sketch,
}

impl MeasureKind {
    /// The kind of a function with this name.
    pub(super) fn of(function: &str) -> Option<Self> {
        Some(match function {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "distinct_sketch" => Self::Sketch,
            _ => return None,
        })
    }

    /// The function that makes it of rows.
    pub(super) fn function(self) -> Arc<AggregateUDF> {
        match self {
            Self::Count => count::count_udaf(),
            Self::Sum => sum::sum_udaf(),
            Self::Min => min_max::min_udaf(),
            Self::Max => min_max::max_udaf(),
            Self::Sketch => distinct_sketch(),
        }
    }
}

impl Definition {
    /// The definition that `keys` and `measures` say, over a table with `columns`.
    ///
    /// # Errors
    /// When one is no expression over these columns, or none that a rollup can keep.
    pub(super) fn parse(
        keys: &[String],
        measures: &[String],
        columns: &SchemaRef,
        state: &SessionState,
    ) -> Result<Self> {
        let base = DFSchema::try_from_qualified_schema(TableReference::bare(BASE), columns)?;
        let base = Arc::new(base);
        let parse = |text: &String| parse(text, &base, state);
        let mut found = Self { keys: Vec::new(), measures: Vec::new(), base: Arc::clone(&base) };
        for text in keys {
            found.keys.push(Key::new(text, parse(text)?)?);
        }
        for text in measures {
            found.measures.push(Measure::new(text, parse(text)?, &base)?);
        }
        if found.keys.is_empty() && found.measures.is_empty() {
            return Err(refuse("", "it keeps nothing: name keys to group by, or aggregates"));
        }
        found.schema()?;
        Ok(found)
    }

    /// The columns of its segments.
    ///
    /// # Errors
    /// When an expression has no type.
    pub(super) fn schema(&self) -> datafusion::common::Result<SchemaRef> {
        let mut fields: Vec<FieldRef> = Vec::with_capacity(self.keys.len() + self.measures.len());
        for key in &self.keys {
            let (_, field) = key.expression.to_field(self.base.as_ref())?;
            fields.push(Arc::new(Field::new(&key.text, field.data_type().clone(), field.is_nullable())));
        }
        for measure in &self.measures {
            fields.push(Arc::new(Field::new(&measure.text, measure.data_type(&self.base)?, true)));
        }
        Ok(Arc::new(Schema::new(fields)))
    }
}

impl Key {
    fn new(text: &str, expression: Expr) -> Result<Self> {
        if holds_aggregate(&expression)? {
            return Err(refuse(text, "it is an aggregate, and no key to group by"));
        }
        Ok(Self { text: text.to_owned(), expression })
    }
}

impl Measure {
    fn new(text: &str, expression: Expr, base: &DFSchema) -> Result<Self> {
        let refuse = |reason: &str| Err(refuse(text, reason));
        let Expr::AggregateFunction(call) = expression else {
            return refuse("it is no call of an aggregate");
        };
        let AggregateFunction { func, params } = call;
        if params.distinct {
            return refuse(
                "what is distinct in two groups may be the same: make the column a key, or take approx_distinct",
            );
        }
        if params.filter.is_some() || !params.order_by.is_empty() || params.null_treatment.is_some() {
            return refuse(
                "a rollup keeps plain aggregates: leave out FILTER, ORDER BY and the treatment of NULL",
            );
        }
        let Some(kind) = MeasureKind::of(func.name()) else {
            return refuse(
                "its value over several groups is not made of their values; take count, sum, avg, min, max or approx_distinct",
            );
        };
        let [argument] = params.args.as_slice() else {
            return refuse("it has not one argument");
        };
        let measure = Self { text: text.to_owned(), kind, argument: argument.clone() };
        let summed = argument.get_type(base)?;
        if kind == MeasureKind::Sum && summed.is_floating() {
            return refuse(
                "a sum of floating-point numbers depends on the order in which they are added: keep money as DECIMAL or as \
                 whole numbers",
            );
        }
        Ok(measure)
    }

    /// The type of its column.
    fn data_type(&self, base: &DFSchema) -> datafusion::common::Result<DataType> {
        self.kind.function().return_type(&[self.argument.get_type(base)?])
    }
}

/// `text` as an expression over `base`, in the form in which optimized plans have it.
fn parse(text: &str, base: &DFSchemaRef, state: &SessionState) -> Result<Expr> {
    let refuse_it = |error: &datafusion::error::DataFusionError| refuse(text, &plain(error));
    let parsed = state.create_logical_expr(text, base).map_err(|error| refuse_it(&error))?;
    let simplifier = simplifier(base, state.config_options());
    let coerced = simplifier.coerce(parsed.unalias_nested().data, base).map_err(|error| refuse_it(&error))?;
    let simple = simplifier.simplify(coerced).map_err(|error| refuse_it(&error))?;
    let mut reason = None;
    simple.apply(|part| {
        reason = match part {
            Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
                Some(format!("{} gives another value at another time", call.func.name()))
            }
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::WindowFunction(_)
            | Expr::Placeholder(_)
            | Expr::Unnest(_) => Some("it does more than look at a row of the table".to_owned()),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Ok(TreeNodeRecursion::Stop)
    })?;
    match reason {
        Some(reason) => Err(refuse(text, &reason)),
        None => Ok(simple.unalias_nested().data),
    }
}

/// Brings expressions into the form that the optimizer gives them.
pub(super) fn simplifier(schema: &DFSchemaRef, options: &Arc<ConfigOptions>) -> ExprSimplifier {
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(options))
        .build();
    ExprSimplifier::new(context)
}

fn holds_aggregate(expression: &Expr) -> Result<bool> {
    Ok(expression.exists(|part| Ok(matches!(part, Expr::AggregateFunction(_))))?)
}

fn refuse(text: &str, reason: &str) -> EngineError {
    EngineError::NotAllowed { what: format!("{text:?} in a rollup"), reason: reason.to_owned() }
}
