//! How often the tables of a statement are read, told before it is planned: the planner puts the query of a WITH wherever its
//! name stands, and walks through what it has put.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Query, Visit, Visitor, visit_relations};

use crate::error::{EngineError, Result};
use crate::options::LimitName;
use crate::plan::plan_depth::LARGEST;

/// Refuses `statement` when the queries of its WITH name each other so often that its plan is too large.
///
/// # Errors
/// When it is.
pub(crate) fn check_with_names(statement: &Statement) -> Result<()> {
    let statement = match statement {
        Statement::Statement(statement) => statement,
        Statement::Explain(explained) => return check_with_names(&explained.statement),
        _ => return Ok(()),
    };
    let mut queries = Queries::default();
    let _all = statement.visit(&mut queries);
    if queries.0.is_empty() {
        return Ok(());
    }
    let mut weights = HashMap::new();
    match weight(&names_in(statement.as_ref()), &queries.0, &mut weights) > LARGEST {
        true => Err(EngineError::Limit { name: LimitName::PlanSize, most: LARGEST }),
        false => Ok(()),
    }
}

/// The names that stand in each query of a WITH. Two of one name count as one that names what both name.
#[derive(Default)]
struct Queries(HashMap<String, Vec<String>>);

impl Visitor for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for one in query.with.iter().flat_map(|with| &with.cte_tables) {
            let names = self.0.entry(one.alias.name.value.to_lowercase()).or_default();
            names.extend(names_in(one.query.as_ref()));
        }
        ControlFlow::Continue(())
    }
}

fn names_in(node: &impl Visit) -> Vec<String> {
    let mut names = Vec::new();
    let _all = visit_relations(node, |relation| {
        names.push(relation.to_string().replace('"', "").to_lowercase());
        ControlFlow::<()>::Continue(())
    });
    names
}

/// Tables that are read for `names`; a query that names itself is counted once.
fn weight(names: &[String], queries: &HashMap<String, Vec<String>>, known: &mut HashMap<String, u64>) -> u64 {
    let mut sum: u64 = 0;
    for name in names {
        let one = match (known.get(name), queries.get(name)) {
            (Some(known), _) => *known,
            (None, None) => 1,
            (None, Some(within)) => {
                known.insert(name.clone(), 1);
                let weight = stacker::maybe_grow(64 << 10, 1 << 20, || weight(within, queries, known)).max(1);
                known.insert(name.clone(), weight);
                weight
            }
        };
        sum = sum.saturating_add(one);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parse_one;

    fn doubling(levels: usize) -> String {
        let step = |level: usize| format!("t{level} AS (SELECT a.n FROM t{0} a, T{0} b)", level - 1);
        let steps: Vec<String> = (1..levels).map(step).collect();
        format!("WITH t0 AS (SELECT 1 AS n), {} SELECT n FROM t{}", steps.join(", "), levels - 1)
    }

    #[test]
    fn what_doubles_is_refused_and_what_stands_once_is_not() {
        let check = |sql: &str| check_with_names(&parse_one(sql).unwrap());
        check("SELECT 1").unwrap();
        check(&doubling(10)).unwrap();
        check(
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT n FROM t",
        )
        .unwrap();
        for sql in
            [doubling(60), format!("CREATE TABLE x AS {}", doubling(60)), format!("EXPLAIN {}", doubling(60))]
        {
            check(&sql).unwrap_err();
        }
    }
}
