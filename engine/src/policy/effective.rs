//! What the policy comes to for whoever asks, in words that give away no rule.

use arrow::datatypes::Schema;

use crate::error::Result;
use crate::policy::authority::Authority;
use crate::policy::file::Privilege;
use crate::policy::rules::{ColumnView, Decision};
use crate::policy::{Memberships, MinimumGroup};
use crate::session::Session;

/// Who somebody is to the policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// The version of the policy; `None` without one.
    pub version: Option<String>,
    /// Their groups and roles.
    pub memberships: Memberships,
}

/// A table as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleTable {
    /// Which of its rows.
    pub rows: VisibleRows,
    /// What may be done with it, as the policy writes it: `SELECT`, `INSERT`, `OWNERSHIP`.
    pub privileges: Vec<&'static str>,
    /// Those that are not hidden.
    pub columns: Vec<VisibleColumn>,
}

/// Which rows of a table somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisibleRows {
    /// Every one.
    All,
    /// Those that pass the policy's filters.
    Filtered,
    /// None by itself: counts and sums of groups.
    Groups(MinimumGroup),
}

/// A column as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: String,
    /// Whether something else stands in place of what is stored.
    pub masked: bool,
}

impl Session {
    /// Who whoever asks is to the policy in force.
    #[must_use]
    pub fn effective_policy(&self) -> EffectivePolicy {
        match &self.authority {
            Some(authority) => {
                let (version, memberships) = authority.standing();
                EffectivePolicy { version: Some(version), memberships }
            }
            None => EffectivePolicy { version: None, memberships: Memberships::of_token(&self.principal) },
        }
    }

    /// A table as whoever asks sees it, without its columns: nothing of it is read.
    #[must_use]
    pub fn visible(&self, schema: &str, table: &str) -> VisibleTable {
        self.with_columns(schema, table, &Schema::empty())
    }

    /// A table as whoever asks sees it.
    ///
    /// # Errors
    /// When there is no such table for them, or it cannot be read.
    pub async fn visible_table(&self, schema: &str, table: &str) -> Result<VisibleTable> {
        // The columns that the catalog shows are those that the policy does.
        let columns = self.table_schema(schema, table).await?;
        Ok(self.with_columns(schema, table, &columns))
    }

    fn with_columns(&self, schema: &str, table: &str, columns: &Schema) -> VisibleTable {
        match &self.authority {
            Some(authority) => authority.visible(schema, table, columns),
            None => VisibleTable {
                rows: VisibleRows::All,
                privileges: vec!["SELECT"],
                columns: listed(columns, |_name| false),
            },
        }
    }
}

impl Authority {
    fn visible(&self, schema: &str, table: &str, columns: &Schema) -> VisibleTable {
        let (policy, principal) = self.policy_and_principal();
        let subject = policy.subject(principal);
        let held = [
            (Privilege::Select, "SELECT"),
            (Privilege::Insert, "INSERT"),
            (Privilege::Ownership, "OWNERSHIP"),
        ];
        let privileges = held
            .into_iter()
            .filter(|(privilege, _)| policy.grants(&subject, schema, table, *privilege))
            .map(|(_, name)| name)
            .collect();
        match policy.decide(&subject, schema, table) {
            // Of the session itself, or denied since it was listed.
            Decision::Denied(_) => {
                VisibleTable { rows: VisibleRows::Filtered, privileges, columns: Vec::new() }
            }
            Decision::Permitted(permission) => VisibleTable {
                rows: match permission.minimum_group {
                    Some(group) => VisibleRows::Groups(group.clone()),
                    None if permission.filters.is_empty() => VisibleRows::All,
                    None => VisibleRows::Filtered,
                },
                privileges,
                columns: listed(columns, |name| {
                    matches!(policy.column(&permission, schema, table, name), ColumnView::Masked(_))
                }),
            },
        }
    }
}

fn listed(columns: &Schema, masked: impl Fn(&str) -> bool) -> Vec<VisibleColumn> {
    let column = |field: &arrow::datatypes::FieldRef| VisibleColumn {
        name: field.name().clone(),
        kind: field.data_type().to_string(),
        masked: masked(field.name()),
    };
    columns.fields().iter().map(column).collect()
}
