//! Does a policy fit the lake it is for? And what does it say to somebody?

use datafusion::common::{DFSchema, TableReference};
use datafusion::execution::SessionState;

use arrow::datatypes::SchemaRef;

use crate::catalog::CATALOG;
use crate::policy::Principal;
use crate::policy::expression;
use crate::policy::file::MinimumGroup;
use crate::policy::minimum_group;
use crate::policy::rules::{ColumnView, Decision, Denial, Policy};

/// What a policy lets somebody see of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// One sentence: which rule decides, and what it says.
    pub decision: String,
    /// Whether anything is shown.
    pub permitted: bool,
    /// Conditions that a row has to meet, with their places in the policy file.
    pub filters: Vec<String>,
    /// How small a group may be, and of what, where rows are seen in groups alone.
    pub minimum_group: Option<MinimumGroup>,
    /// Every column of the table with its tags and what is shown of it; empty when the table is denied.
    pub columns: Vec<ColumnAccess>,
}

/// What a policy lets somebody see of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAccess {
    /// Its name.
    pub name: String,
    /// Its tags, with commas between.
    pub tags: String,
    /// `shown`, `hidden`, or the expression that is shown in its place.
    pub shown: String,
}

impl ColumnAccess {
    /// Whether something else stands in its place.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.shown != SHOWN && self.shown != HIDDEN
    }
}

const SHOWN: &str = "shown";
const HIDDEN: &str = "hidden";

/// What `policy` lets `principal` see of a table with these columns.
pub(crate) fn access(
    policy: &Policy,
    principal: &Principal,
    schema: &str,
    table: &str,
    columns: &SchemaRef,
) -> Access {
    let denied = |decision: String| Access {
        decision,
        permitted: false,
        filters: Vec::new(),
        minimum_group: None,
        columns: Vec::new(),
    };
    let permission = match policy.decide(&policy.subject(principal), schema, table) {
        Decision::Denied(Denial::Unmatched) => return denied("denied: no rule matches".to_owned()),
        Decision::Denied(Denial::NotGranted(rule)) => {
            return denied(format!(
                "denied: the rule that matches, tables entry {rule}, does not grant SELECT"
            ));
        }
        Decision::Denied(Denial::OutsideTenants) => {
            return denied("denied: the table has tenants, and no entry of `tenants` matches".to_owned());
        }
        Decision::Permitted(permission) => permission,
    };
    let filters =
        permission.filters.iter().map(|(place, sql)| format!("{} ({place})", sql.as_str())).collect();
    let columns = columns
        .fields()
        .iter()
        .map(|field| ColumnAccess {
            name: field.name().clone(),
            tags: policy.tags(schema, table, field.name()).into_iter().collect::<Vec<_>>().join(", "),
            shown: match policy.column(&permission, schema, table, field.name()) {
                ColumnView::Shown => SHOWN.to_owned(),
                ColumnView::Hidden => HIDDEN.to_owned(),
                ColumnView::Masked(sql) => sql.as_str().to_owned(),
            },
        })
        .collect();
    Access {
        decision: format!("permitted by tables entry {}", permission.rule),
        permitted: true,
        filters,
        minimum_group: permission.minimum_group.cloned(),
        columns,
    }
}

/// What does not fit a table: one sentence each.
pub(crate) fn problems(
    policy: &Policy,
    schema: &str,
    table: &str,
    columns: &SchemaRef,
    functions: &SessionState,
) -> Vec<String> {
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    let qualifier = TableReference::full(CATALOG, schema, table);
    let typed = match DFSchema::try_from_qualified_schema(qualifier, columns) {
        Ok(typed) => typed,
        Err(error) => return vec![format!("{schema}.{table}: {error}")],
    };
    let mut found = Vec::new();
    for (place, column) in policy.unknown_columns(schema, table, &names) {
        found.push(format!("{place}: {schema}.{table} has no column {column:?}"));
    }
    for (place, group) in policy.minimum_groups(schema, table) {
        if let Err(reason) = minimum_group::check(group, columns) {
            found.push(format!("{place}: {schema}.{table}: {reason}"));
        }
    }
    for (place, masked, sql) in policy.expressions(schema, table, &names) {
        // Who asks changes a value, never whether it fits.
        let fits = match &masked {
            None => expression::filter(sql, &typed, "somebody", functions).map(drop),
            Some(column) => match columns.field_with_name(column) {
                Ok(field) => {
                    expression::mask(sql, field.data_type(), &typed, "somebody", functions).map(drop)
                }
                Err(error) => Err(error.to_string()),
            },
        };
        if let Err(reason) = fits {
            let part = masked.map_or_else(String::new, |column| format!(", mask of {column}"));
            found.push(format!("{place}{part}: {schema}.{table}: {reason}"));
        }
    }
    found
}
