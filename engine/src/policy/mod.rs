//! Who may see which rows and columns; applied between planning and execution.

mod aggregates_alone;
mod apply;
mod authority;
mod barrier;
mod barrier_exec;
mod check;
mod effective;
mod expression;
mod file;
mod keeper;
mod minimum_group;
mod permitted_table;
mod push_harmless;
mod reads;
mod rules;
mod store;

use std::collections::BTreeSet;

pub(crate) use apply::{UNRESTRICTED, apply, still_permitted};
pub(crate) use authority::Authority;
pub(crate) use barrier::Barrier;
pub(crate) use barrier_exec::{BarrierExec, TithePlanner, behind_border};
pub use check::{Access, ColumnAccess};
pub use effective::{EffectivePolicy, VisibleColumn, VisibleRows, VisibleTable};
pub use file::MinimumGroup;
pub(crate) use file::Privilege;
pub(crate) use keeper::Governance;
pub(crate) use push_harmless::PushHarmlessFilters;
pub(crate) use reads::{columns_read, rollups_read};
pub(crate) use store::PolicyStore;

/// What somebody is when they ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memberships {
    /// Those that the policy lists and those that whoever authenticated them vouches for.
    pub groups: BTreeSet<String>,
    /// Those of the policy.
    pub roles: BTreeSet<String>,
}

impl Memberships {
    /// What `principal` is without a policy.
    pub(crate) fn of_token(principal: &Principal) -> Self {
        Self { groups: principal.groups.clone(), roles: BTreeSet::new() }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Name, as authenticated or as the operating system gives it.
    pub name: String,
    /// The groups that whoever authenticated them vouches for, beside those that the policy lists.
    pub groups: BTreeSet<String>,
}

impl Principal {
    /// The person at this machine, on their own lake.
    #[must_use]
    pub fn local() -> Self {
        Self::from("local")
    }
}

impl From<&str> for Principal {
    /// The principal of this name, in no group but those that the policy lists.
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), groups: BTreeSet::new() }
    }
}
