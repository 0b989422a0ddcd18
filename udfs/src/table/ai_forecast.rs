//! `ai_forecast(TABLE(name) | (SELECT …), data_col => …, timestamp_col => …)`: `forecast` under BigQuery's name and
//! columns. It is planned as an aggregate and its steps as rows, so that it runs as any GROUP BY does.

mod arguments;
mod calibration;
mod document;
mod interval;
mod plan;
mod table_argument;

use datafusion::common::Result;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::sql::sqlparser::ast::{ObjectName, TableFactor};

use arguments::Arguments;

pub(crate) use document::AI_FORECAST;
pub(crate) use table_argument::spell_out_table;

const NAME: &str = "ai_forecast";

/// Plans the calls in FROM clauses.
#[derive(Debug)]
pub(crate) struct AiForecast;

impl RelationPlanner for AiForecast {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::Table { name, alias, args: Some(args), .. } if is_called(&name) => {
                let arguments = Arguments::read(args.args, context)?;
                let plan = plan::plan(arguments)?;
                Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
            }
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

fn is_called(name: &ObjectName) -> bool {
    name.to_string().eq_ignore_ascii_case(NAME)
}
