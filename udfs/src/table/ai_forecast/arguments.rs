//! The arguments of a call: its input as a plan, its columns, its options.

use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, TableFactor, UnaryOperator, Value,
};

/// How a call looks, for error messages.
const FORM: &str = "write ai_forecast((SELECT …), data_col => 'value', timestamp_col => 'month' [, id_cols => ['tax_type']] \
                    [, horizon => 10] [, confidence_level => 0.95]) or ai_forecast(TABLE(schema.name), …)";
/// The options that go to `forecast` as they are.
const PASSED: [&str; 5] = ["model", "season", "gaps", "calendar", "drift"];
const USUAL_HORIZON: i64 = 10;
const LONGEST_HORIZON: i64 = 1000;
const USUAL_LEVEL: f64 = 0.95;

/// What a call asks for.
pub(super) struct Arguments {
    pub(super) input: LogicalPlan,
    timestamp: Column,
    data: Column,
    pub(super) ids: Vec<Column>,
    pub(super) confidence_level: f64,
    /// Whether the intervals are calibrated by the errors of all series of the call.
    pub(super) pooled: bool,
    horizon: i64,
    /// The arguments of `forecast` after period and value: horizon, then [`PASSED`].
    options: Vec<Expr>,
}

impl Arguments {
    /// # Errors
    /// When the call is of another form, or names a column that the input lacks.
    pub(super) fn read(
        arguments: Vec<FunctionArg>,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<Self> {
        let mut arguments = arguments.into_iter();
        let input = match arguments.next() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(input))) => context.plan(relation(input)?)?,
            _ => return plan_err!("ai_forecast: the first argument is the data; {FORM}"),
        };
        let mut named: Vec<(String, ast::Expr)> = Vec::new();
        for argument in arguments {
            let FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } = argument else {
                return plan_err!("ai_forecast: all arguments after the data are named; {FORM}");
            };
            let name = name.value.to_lowercase();
            let known =
                ["data_col", "timestamp_col", "id_cols", "horizon", "confidence_level", "calibration"]
                    .iter()
                    .chain(&PASSED);
            if !known.clone().any(|known| *known == name) {
                let hint = nearest(&name, known.copied());
                return plan_err!("ai_forecast has no argument `{name}`{hint}; {FORM}");
            }
            if named.iter().any(|(before, _)| *before == name) {
                return plan_err!("ai_forecast: argument `{name}` is given twice");
            }
            named.push((name, value));
        }
        let given = |wanted: &str| named.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let schema = input.schema().as_ref();
        let one = |name: &str| match given(name) {
            Some(value) => column(name, value, schema),
            None => plan_err!("ai_forecast: argument `{name}` is missing; {FORM}"),
        };
        let (timestamp, data) = (one("timestamp_col")?, one("data_col")?);
        let ids = given("id_cols").map_or(Ok(Vec::new()), |value| columns(value, schema))?;
        let horizon = given("horizon").map_or(Ok(USUAL_HORIZON), horizon)?;
        let confidence_level = given("confidence_level").map_or(Ok(USUAL_LEVEL), level)?;
        let pooled = given("calibration").map_or(Ok(true), is_pooled)?;
        let mut options = vec![lit(horizon)];
        for name in PASSED {
            options.push(match given(name) {
                Some(value) => context.sql_to_expr(value.clone(), &DFSchema::empty())?,
                None => lit(ScalarValue::Null),
            });
        }
        Ok(Self { timestamp, data, ids, confidence_level, pooled, horizon, options, input })
    }

    /// The arguments of `forecast`.
    pub(super) fn call(&self) -> Vec<Expr> {
        let mut call = vec![Expr::Column(self.timestamp.clone()), Expr::Column(self.data.clone())];
        call.extend(self.options.iter().cloned());
        call
    }

    pub(super) fn horizon(&self) -> f64 {
        self.horizon as f64
    }
}

/// The input as an item of a FROM clause.
fn relation(input: ast::Expr) -> Result<TableFactor> {
    match input {
        ast::Expr::Subquery(subquery) => {
            Ok(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })
        }
        other => plan_err!("ai_forecast: the data is a table or a query in parentheses, not {other}; {FORM}"),
    }
}

/// A column named by a text, or written as a column.
fn column(argument: &str, value: &ast::Expr, schema: &DFSchema) -> Result<Column> {
    let name = match value {
        ast::Expr::Value(value) => value.value.clone().into_string(),
        ast::Expr::Identifier(identifier) => Some(identifier.value.clone()),
        _ => None,
    };
    let Some(name) = name else {
        return plan_err!(
            "ai_forecast: argument `{argument}` takes the name of a column, as in '…', not {value}"
        );
    };
    let all = || schema.columns().into_iter();
    let found = all()
        .find(|column| column.name == name)
        .or_else(|| all().find(|column| column.name.eq_ignore_ascii_case(&name)));
    found.ok_or_else(|| {
        let columns = schema.columns();
        let hint = nearest(&name.to_lowercase(), columns.iter().map(|column| column.name.as_str()));
        plan_datafusion_err!("ai_forecast: the data has no column '{name}', which `{argument}` names{hint}")
    })
}

/// `['a', 'b']`.
fn columns(value: &ast::Expr, schema: &DFSchema) -> Result<Vec<Column>> {
    match value {
        ast::Expr::Array(array) => {
            array.elem.iter().map(|element| column("id_cols", element, schema)).collect()
        }
        _ => plan_err!(
            "ai_forecast: argument `id_cols` takes a list of columns, as in ['tax_type', 'county_code'], not {value}"
        ),
    }
}

fn horizon(value: &ast::Expr) -> Result<i64> {
    let number = number(value).and_then(|text| text.parse().ok());
    match number.filter(|number| (1..=LONGEST_HORIZON).contains(number)) {
        Some(number) => Ok(number),
        None => plan_err!(
            "ai_forecast: argument `horizon` takes a whole number from 1 to {LONGEST_HORIZON}, not {value}"
        ),
    }
}

fn level(value: &ast::Expr) -> Result<f64> {
    let number = number(value).and_then(|text| text.parse::<f64>().ok());
    match number.filter(|level| (0.01..=0.999).contains(level)) {
        Some(level) => Ok(level),
        None => plan_err!(
            "ai_forecast: argument `confidence_level` takes a number from 0.01 to 0.999, as in 0.95, not {value}"
        ),
    }
}

fn is_pooled(value: &ast::Expr) -> Result<bool> {
    let name = match value {
        ast::Expr::Value(value) => value.value.clone().into_string().map(|name| name.trim().to_lowercase()),
        _ => None,
    };
    match name.as_deref() {
        Some("pooled") => Ok(true),
        Some("none") => Ok(false),
        _ => plan_err!("ai_forecast: argument `calibration` takes 'pooled' or 'none', not {value}"),
    }
}

fn number(value: &ast::Expr) -> Option<String> {
    match value {
        ast::Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text.to_string()),
            _ => None,
        },
        ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => number(expr).map(|text| format!("-{text}")),
        _ => None,
    }
}

fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|name| (strsim::damerau_levenshtein(given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| format!("; did you mean '{name}'?"))
        .unwrap_or_default()
}
