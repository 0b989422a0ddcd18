//! Which rule holds for whom.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::audit::AUDIT_SCHEMA;
use crate::error::{EngineError, Result};
use crate::policy::file::{
    ColumnRule, MinimumGroup, Pattern, PolicyFile, Privilege, SqlExpression, TableRule, Tenant,
};
use crate::policy::{Memberships, Principal};

/// Bytes of a policy file that are read; more is a mistake or an attack.
pub(super) const LARGEST_FILE: u64 = 16 << 20;

/// Digits of the version that audit records and tickets carry.
const VERSION_DIGITS: usize = 12;

/// Of two persons, each learns from the sum what the other has; from three on, a sum and a variance leave it open.
const SMALLEST_GROUP: u32 = 3;

/// A policy that has been read and understood.
#[derive(Debug)]
pub(crate) struct Policy {
    version: String,
    file: PolicyFile,
}

/// Somebody who asks, as the policy knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) user: String,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
}

/// What somebody may see of a table.
#[derive(Debug)]
pub(crate) enum Decision<'a> {
    /// Nothing, not even that it exists.
    Denied(Denial),
    /// The rows that pass every filter.
    Permitted(Permission<'a>),
}

/// Why a table is denied. Numbers count the entries of the policy file from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// No rule matches.
    Unmatched,
    /// The rule that matches does not grant `SELECT`.
    NotGranted(usize),
    /// The table has tenants, and none of them matches.
    OutsideTenants,
}

/// What a rule permits.
#[derive(Debug)]
pub(crate) struct Permission<'a> {
    /// The number of the rule in the policy file, from 1.
    pub(crate) rule: usize,
    /// Where each filter stands in the file, and what it says.
    pub(crate) filters: Vec<(String, &'a SqlExpression)>,
    /// Where rows are only seen in groups.
    pub(crate) minimum_group: Option<&'a MinimumGroup>,
    columns: &'a [ColumnRule],
}

/// What somebody sees of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnView<'a> {
    /// Its values.
    Shown,
    /// Nothing, not even its name.
    Hidden,
    /// The value of this expression under its name.
    Masked(&'a SqlExpression),
}

impl Policy {
    /// Reads a policy from the text of the file `origin`.
    ///
    /// # Errors
    /// When it is not JSON, says something that is not understood, or contradicts itself.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self> {
        let refuse = |reason: String| EngineError::Configuration { origin: origin.to_owned(), reason };
        // A list would be taken for the sections in their order.
        if !text.trim_start().starts_with('{') {
            return Err(refuse("a policy is a JSON object, {…}: docs/policy.md shows one".to_owned()));
        }
        let file: PolicyFile = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        check(&file).map_err(refuse)?;
        let digest = Sha256::digest(text.as_bytes());
        let version: String = digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .chars()
            .take(VERSION_DIGITS)
            .collect();
        Ok(Self { version, file })
    }

    /// A digest of the file: the same rules always have the same version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What the policy knows of `principal`, whose groups are those that it lists and those that come with them.
    pub(crate) fn subject(&self, principal: &Principal) -> Subject {
        let user = &principal.name;
        let listed = |users: &[String]| users.contains(user);
        let own = self.file.groups.iter().filter(|group| listed(&group.users));
        let groups: BTreeSet<String> =
            own.map(|group| group.group.clone()).chain(principal.groups.iter().cloned()).collect();
        let roles = self
            .file
            .roles
            .iter()
            .filter(|role| listed(&role.users) || role.groups.iter().any(|group| groups.contains(group)))
            .map(|role| role.role.clone())
            .collect();
        Subject { user: user.clone(), groups, roles }
    }

    /// What `subject` may see of a table.
    pub(crate) fn decide(&self, subject: &Subject, schema: &str, table: &str) -> Decision<'_> {
        let Some((rule, number)) = self.rule(subject, schema, table) else {
            return Decision::Denied(Denial::Unmatched);
        };
        if !rule.privileges.contains(&Privilege::Select) {
            return Decision::Denied(Denial::NotGranted(number));
        }
        let mut filters: Vec<(String, &SqlExpression)> = Vec::new();
        let tenants = self.tenants(schema, table);
        if !tenants.is_empty() {
            for (tenant, place) in &tenants {
                if subject.is_meant(tenant.user.as_ref(), tenant.group.as_ref(), tenant.role.as_ref()) {
                    filters.push((format!("tenants, entry {place}"), &tenant.filter));
                }
            }
            if filters.is_empty() {
                return Decision::Denied(Denial::OutsideTenants);
            }
        }
        filters.extend(rule.filter.as_ref().map(|filter| (format!("tables, entry {number}"), filter)));
        Decision::Permitted(Permission {
            rule: number,
            filters,
            minimum_group: rule.minimum_group.as_ref(),
            columns: &rule.columns,
        })
    }

    /// Whether the rule that decides for `subject` on a table grants `privilege`; records of queries are nobody's to change.
    pub(crate) fn grants(&self, subject: &Subject, schema: &str, table: &str, privilege: Privilege) -> bool {
        let rule = self.rule(subject, schema, table);
        let rule = rule.filter(|_| schema != AUDIT_SCHEMA || privilege == Privilege::Select);
        rule.is_some_and(|(rule, _)| rule.privileges.contains(&privilege))
    }

    /// The rule that decides about a table, the first that matches, and its number in the policy file.
    fn rule(&self, subject: &Subject, schema: &str, table: &str) -> Option<(&TableRule, usize)> {
        self.file.tables.iter().zip(1..).find(|(rule, _)| {
            subject.is_meant(rule.user.as_ref(), rule.group.as_ref(), rule.role.as_ref())
                && reaches(rule.schema.as_ref(), schema)
                && names(rule.table.as_ref(), table)
        })
    }

    /// Whether `subject` may know that a schema exists: a rule grants something in it.
    pub(crate) fn shows_schema(&self, subject: &Subject, schema: &str) -> bool {
        let rules = self.file.tables.iter().filter(|rule| {
            subject.is_meant(rule.user.as_ref(), rule.group.as_ref(), rule.role.as_ref())
                && reaches(rule.schema.as_ref(), schema)
        });
        for rule in rules {
            if rule.privileges.contains(&Privilege::Select) {
                return true;
            }
            if rule.table.is_none() {
                return false;
            }
        }
        false
    }

    /// What `permission` shows of a column.
    pub(crate) fn column<'a>(
        &self,
        permission: &Permission<'a>,
        schema: &str,
        table: &str,
        column: &str,
    ) -> ColumnView<'a> {
        let tags = self.tags(schema, table, column);
        let rule = permission.columns.iter().find(|rule| {
            rule.name.as_ref().is_none_or(|name| name == column)
                && rule.tag.as_ref().is_none_or(|pattern| tags.iter().any(|tag| pattern.matches(tag)))
        });
        match rule {
            Some(ColumnRule { allow: false, .. }) => ColumnView::Hidden,
            Some(ColumnRule { mask: Some(mask), .. }) => ColumnView::Masked(mask),
            Some(_) => ColumnView::Shown,
            None if tags.is_empty() => ColumnView::Shown,
            None => ColumnView::Hidden,
        }
    }

    /// The tags of a column.
    pub(crate) fn tags(&self, schema: &str, table: &str, column: &str) -> BTreeSet<&str> {
        let tags = self.file.tags.iter().filter(|tag| {
            names(tag.schema.as_ref(), schema)
                && names(tag.table.as_ref(), table)
                && tag.column.matches(column)
        });
        tags.map(|tag| tag.tag.as_str()).collect()
    }

    /// Every expression that anybody's rules put on a table: where it stands, the column it masks or `None` for a
    /// filter, and what it says.
    pub(crate) fn expressions(
        &self,
        schema: &str,
        table: &str,
        columns: &[&str],
    ) -> Vec<(String, Option<String>, &SqlExpression)> {
        let mut found: Vec<(String, Option<String>, &SqlExpression)> = Vec::new();
        for (tenant, place) in self.tenants(schema, table) {
            found.push((format!("tenants, entry {place}"), None, &tenant.filter));
        }
        for (rule, number) in self.file.tables.iter().zip(1..) {
            if !reaches(rule.schema.as_ref(), schema) || !names(rule.table.as_ref(), table) {
                continue;
            }
            let place = format!("tables, entry {number}");
            found.extend(rule.filter.as_ref().map(|filter| (place.clone(), None, filter)));
            let permission =
                Permission { rule: number, filters: Vec::new(), minimum_group: None, columns: &rule.columns };
            for column in columns {
                if let ColumnView::Masked(mask) = self.column(&permission, schema, table, column) {
                    found.push((place.clone(), Some((*column).to_owned()), mask));
                }
            }
        }
        found
    }

    /// The minimum groups that rules give for a table, with their places in the file.
    pub(crate) fn minimum_groups(&self, schema: &str, table: &str) -> Vec<(String, &MinimumGroup)> {
        let rules = self.file.tables.iter().zip(1..);
        rules
            .filter(|(rule, _)| reaches(rule.schema.as_ref(), schema) && names(rule.table.as_ref(), table))
            .filter_map(|(rule, number)| {
                Some((format!("tables, entry {number}"), rule.minimum_group.as_ref()?))
            })
            .collect()
    }

    /// Names of columns that rules give for a table which has no such column.
    pub(crate) fn unknown_columns(
        &self,
        schema: &str,
        table: &str,
        columns: &[&str],
    ) -> Vec<(String, String)> {
        let exact =
            |pattern: &Option<Pattern>, name: &str| pattern.as_ref().is_some_and(|one| one.matches(name));
        let mut unknown = Vec::new();
        for (rule, number) in self.file.tables.iter().zip(1..) {
            // A rule for many tables may name columns that only some of them have.
            if !exact(&rule.schema, schema) || !exact(&rule.table, table) {
                continue;
            }
            let named = rule.columns.iter().filter_map(|column| column.name.as_deref());
            for name in named.filter(|name| !columns.contains(name)) {
                unknown.push((format!("tables, entry {number}"), name.to_owned()));
            }
        }
        unknown
    }

    fn tenants(&self, schema: &str, table: &str) -> Vec<(&Tenant, usize)> {
        let tenants = self.file.tenants.iter().zip(1..);
        tenants
            .filter(|(tenant, _)| {
                names(tenant.schema.as_ref(), schema) && names(tenant.table.as_ref(), table)
            })
            .collect()
    }
}

impl Subject {
    pub(crate) fn memberships(self) -> Memberships {
        Memberships { groups: self.groups, roles: self.roles }
    }

    fn is_meant(&self, user: Option<&Pattern>, group: Option<&Pattern>, role: Option<&Pattern>) -> bool {
        user.is_none_or(|pattern| pattern.matches(&self.user))
            && group.is_none_or(|pattern| self.groups.iter().any(|name| pattern.matches(name)))
            && role.is_none_or(|pattern| self.roles.iter().any(|name| pattern.matches(name)))
    }
}

/// As [`names`], but for the audit: only a rule that spells out its schema is meant for auditors.
fn reaches(pattern: Option<&Pattern>, schema: &str) -> bool {
    match schema {
        AUDIT_SCHEMA => pattern.is_some_and(|pattern| pattern.spells(AUDIT_SCHEMA)),
        schema => names(pattern, schema),
    }
}

fn names(pattern: Option<&Pattern>, name: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(name))
}

/// What is well-formed and yet cannot be meant.
fn check(file: &PolicyFile) -> std::result::Result<(), String> {
    let groups: BTreeSet<&str> = file.groups.iter().map(|group| group.group.as_str()).collect();
    for role in &file.roles {
        if let Some(unknown) = role.groups.iter().find(|group| !groups.contains(group.as_str())) {
            return Err(format!(
                "the role {:?} names the group {unknown:?}, which is not in `groups`",
                role.role
            ));
        }
    }
    for (rule, number) in file.tables.iter().zip(1..) {
        check_rule(rule).map_err(|reason| format!("tables, entry {number}: {reason}"))?;
    }
    Ok(())
}

fn check_rule(rule: &TableRule) -> std::result::Result<(), String> {
    for column in &rule.columns {
        if column.name.is_none() && column.tag.is_none() {
            return Err("an entry of `columns` has neither a name nor a tag".to_owned());
        }
        if !column.allow && column.mask.is_some() {
            return Err(
                "an entry of `columns` has `allow` false and a mask: leave one of them out".to_owned()
            );
        }
    }
    let shows = rule.filter.is_some() || rule.minimum_group.is_some() || !rule.columns.is_empty();
    if !rule.privileges.contains(&Privilege::Select) && shows {
        return Err("it has a filter, a minimum_group or columns but does not grant SELECT".to_owned());
    }
    match &rule.minimum_group {
        Some(group) => check_minimum_group(group),
        None => Ok(()),
    }
}

fn check_minimum_group(group: &MinimumGroup) -> std::result::Result<(), String> {
    if group.size < SMALLEST_GROUP {
        return Err(format!(
            "minimum_group has the size {}, and {SMALLEST_GROUP} is the smallest: of two, each knows the other",
            group.size
        ));
    }
    if group.dimensions.contains(&group.key) {
        return Err(format!("minimum_group has its key {:?} among its dimensions", group.key));
    }
    let mut seen = BTreeSet::new();
    match group.dimensions.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(format!("minimum_group has the dimension {twice:?} twice")),
        None => Ok(()),
    }
}
