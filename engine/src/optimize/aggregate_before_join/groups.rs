//! The groups that are made of a table's rows before they are joined.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, TableReference};
use datafusion::logical_expr::{Aggregate, Cast, Expr, ExprSchemable, LogicalPlan, SubqueryAlias};

use crate::optimize::aggregate_before_join::column_facts::{ColumnFacts, column_facts, origin};
use crate::optimize::aggregate_before_join::never_fails::never_fails;
use crate::rollup::is_function_of_its_parts;

/// What qualifies the rows' columns, which have their place for a name, until it is known what is asked of them.
const ROWS: &str = "rows before the join";
/// What qualifies the columns of groups that are joined, and of others.
const JOINED: &str = "groups before the join";
const OTHERS: &str = "groups of groups";

/// What rows are grouped by and what is computed of each group, while it is being found out.
pub(in crate::optimize) struct Groups {
    base: Arc<LogicalPlan>,
    /// Whether a join may leave some of them out.
    joined: bool,
    keys: Vec<Expr>,
    calls: Vec<Expr>,
}

/// Whose columns an expression is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Those of the rows alone.
    Rows,
    /// Any but those, or none.
    Others,
    Both,
}

/// How many values there may be; estimates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values {
    pub(super) at_least: u64,
    pub(super) at_most: Option<u64>,
}

/// The columns of rows with this schema, as what is asked of them names them.
pub(in crate::optimize) fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    let column = |place: usize| Column::new(Some(TableReference::bare(ROWS)), place.to_string());
    (0..schema.fields().len()).map(|place| Expr::Column(column(place))).collect()
}

/// Whether a user calls something as the rows or the groups are called here.
pub(super) fn is_called_so(schema: &DFSchema) -> bool {
    let taken = |name: &TableReference| [ROWS, JOINED, OTHERS].contains(&name.table());
    schema.iter().any(|(qualifier, _)| qualifier.is_some_and(taken))
}

fn place_of(column: &Column, relation: &str) -> Option<usize> {
    let same = matches!(&column.relation, Some(TableReference::Bare { table }) if table.as_ref() == relation);
    same.then(|| column.name.rsplit(' ').next()?.parse().ok()).flatten()
}

/// Whose columns `expression` is over.
pub(super) fn over(expression: &Expr) -> Over {
    let columns = expression.column_refs();
    let own = columns.iter().filter(|column| place_of(column, ROWS).is_some()).count();
    match own {
        0 => Over::Others,
        own if own == columns.len() => Over::Rows,
        _ => Over::Both,
    }
}

/// The numbers of the groups' keys in `expression`.
pub(super) fn keys_in(expression: &Expr) -> BTreeSet<usize> {
    expression.column_refs().into_iter().filter_map(|column| place_of(column, JOINED)).collect()
}

impl Groups {
    /// No groups yet, of the rows of `base`, of which a join may leave some out.
    pub(super) fn joined(base: Arc<LogicalPlan>) -> Self {
        Self { base, joined: true, keys: Vec::new(), calls: Vec::new() }
    }

    /// No groups yet, of the rows of `base`, all of which are asked for.
    pub(in crate::optimize) fn unjoined(base: Arc<LogicalPlan>) -> Self {
        Self { base, joined: false, keys: Vec::new(), calls: Vec::new() }
    }

    pub(super) fn base(&self) -> &LogicalPlan {
        &self.base
    }

    /// How many keys there are.
    pub(in crate::optimize) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// `expression`, which is over columns of the rows alone, as they are called in the plan.
    ///
    /// # Errors
    /// When an expression cannot be walked.
    pub(in crate::optimize) fn over_base(&self, expression: Expr) -> Result<Expr> {
        let schema = self.base.schema();
        let named = expression.transform(|part| {
            Ok(match &part {
                Expr::Column(column) => match place_of(column, ROWS) {
                    Some(place) => {
                        Transformed::yes(Expr::Column(Column::from(schema.qualified_field(place))))
                    }
                    None => Transformed::no(part),
                },
                _ => Transformed::no(part),
            })
        })?;
        Ok(named.data)
    }

    /// The same, if it has a value for every row, or every row is asked for one.
    ///
    /// # Errors
    /// When an expression has no type.
    pub(super) fn that_never_fails(&self, expression: &Expr) -> Result<Option<Expr>> {
        let named = self.over_base(expression.clone())?;
        if !self.joined {
            return Ok(Some(named));
        }
        let is_near = |column: &Column| {
            self.facts(column).ok().flatten().is_some_and(|facts: ColumnFacts| facts.is_near())
        };
        Ok(never_fails(&named, self.base.schema(), &is_near)?.then_some(named))
    }

    /// `expression` over columns of the groups in the place of those of their rows, which become keys; `None` where it is no
    /// function of what can be one.
    ///
    /// # Errors
    /// When an expression cannot be walked.
    pub(in crate::optimize) fn key(&mut self, expression: Expr) -> Result<Option<Expr>> {
        let expression = expression.unalias();
        let over = over(&expression);
        if over == Over::Others {
            return Ok(Some(expression));
        }
        if over == Over::Rows
            && let Some(named) = self.that_never_fails(&expression)?
            && is_exact(&named.get_type(self.base.schema())?)
        {
            let known = self.keys.iter().position(|key| *key == named);
            let place = known.unwrap_or_else(|| {
                self.keys.push(named);
                self.keys.len() - 1
            });
            return Ok(Some(self.column(&format!("key {place}"))));
        }
        if !is_function_of_its_parts(&expression) {
            return Ok(None);
        }
        let mut possible = true;
        let mapped = expression.map_children(|part| {
            if !possible {
                return Ok(Transformed::no(part));
            }
            Ok(match self.key(part.clone())? {
                Some(mapped) => Transformed::yes(mapped),
                None => {
                    possible = false;
                    Transformed::no(part)
                }
            })
        })?;
        Ok(possible.then_some(mapped.data))
    }

    /// The column of the groups with what `call` computes of the rows, as they are called in the plan.
    pub(in crate::optimize) fn computed(&mut self, call: Expr) -> Expr {
        let known = self.calls.iter().position(|known| *known == call);
        let place = known.unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        self.column(&format!("value {place}"))
    }

    /// How many values these keys have together.
    ///
    /// # Errors
    /// When a plan cannot be looked at.
    pub(super) fn values_of(&self, keys: impl Iterator<Item = usize>) -> Result<Values> {
        let mut all = Values { at_least: 1, at_most: Some(1) };
        for key in keys.filter_map(|key| self.keys.get(key)) {
            let values = self.values(key)?;
            all.at_least = all.at_least.max(values.at_least);
            all.at_most = all.at_most.zip(values.at_most).map(|(all, its)| all.saturating_mul(its));
        }
        Ok(all)
    }

    fn values(&self, key: &Expr) -> Result<Values> {
        if let Expr::Column(column) = without_cast(key) {
            let facts = self.facts(column)?;
            let at_least = facts.map_or(1, |facts| facts.at_least);
            return Ok(Values { at_least, at_most: facts.and_then(|facts| facts.at_most) });
        }
        let at_most = match self.calendar(key)? {
            Some(values) => Some(values),
            None => {
                let mut at_most = Some(1_u64);
                let columns: BTreeSet<&Column> = key.column_refs().into_iter().collect();
                for column in columns {
                    let values = self.facts(column)?.and_then(|facts| facts.at_most);
                    at_most = at_most.zip(values).map(|(all, its)| all.saturating_mul(its));
                }
                at_most
            }
        };
        Ok(Values { at_least: 1, at_most })
    }

    /// How many months, quarters or years there are from the first to the last of a column's dates.
    fn calendar(&self, key: &Expr) -> Result<Option<u64>> {
        let Expr::ScalarFunction(call) = key else { return Ok(None) };
        let [Expr::Literal(grain, _), of] = call.args.as_slice() else { return Ok(None) };
        let Expr::Column(column) = without_cast(of) else { return Ok(None) };
        let Some(days) = self.facts(column)?.and_then(|facts| facts.days()) else { return Ok(None) };
        let grain = grain.try_as_str().flatten().unwrap_or_default().to_lowercase();
        let of_days = |least: u64| Some(days / least + 3);
        Ok(match (call.func.name(), grain.as_str()) {
            ("date_trunc" | "date_part", "year") => of_days(365),
            ("date_trunc", "quarter") => of_days(90),
            ("date_trunc", "month") => of_days(28),
            ("date_trunc", "week") => of_days(7),
            ("date_part", "quarter") => Some(5),
            ("date_part", "month") => Some(13),
            _ => None,
        })
    }

    fn facts(&self, column: &Column) -> Result<Option<ColumnFacts>> {
        let Some(place) = self.base.schema().maybe_index_of_column(column) else { return Ok(None) };
        let origin = origin(&self.base, place)?;
        Ok(origin.and_then(|(table, name)| column_facts(&table, &name)))
    }

    fn name(&self) -> TableReference {
        TableReference::bare(if self.joined { JOINED } else { OTHERS })
    }

    fn column(&self, name: &str) -> Expr {
        Expr::Column(Column::new(Some(self.name()), name))
    }

    /// The plan of the groups.
    ///
    /// # Errors
    /// When it cannot be built.
    pub(in crate::optimize) fn into_plan(self) -> Result<LogicalPlan> {
        let name = self.name();
        let keys = self.keys.into_iter().enumerate();
        let keys = keys.map(|(place, key)| key.alias(format!("key {place}"))).collect();
        let calls = self.calls.into_iter().enumerate();
        let calls = calls.map(|(place, call)| call.alias(format!("value {place}"))).collect();
        let groups = LogicalPlan::Aggregate(Aggregate::try_new(self.base, keys, calls)?);
        let alias = SubqueryAlias::try_new(Arc::new(groups), name)?;
        Ok(LogicalPlan::SubqueryAlias(alias))
    }
}

fn without_cast(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast(Cast { expr, .. }) => without_cast(expr),
        other => other,
    }
}

/// Whether equal values of this type cannot be told apart.
pub(in crate::optimize) fn is_exact(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => is_exact(value),
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        kind => kind.is_integer() || kind.is_decimal(),
    }
}
