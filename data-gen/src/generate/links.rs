use crate::community::{Community, Creator};
use crate::error::GenerateError;
use crate::tables::{BusinessOwnerRow, MisleadingKeyRow, RegisteredAccountRow, RepresentationRow};
use crate::write::{Record, Table};

use super::{Count, Work};

/// A community's registers that tie channels to people, and the truth about them.
#[derive(Default)]
pub(super) struct LinkRows {
    owners: Vec<BusinessOwnerRow>,
    accounts: Vec<RegisteredAccountRow>,
    agencies: Vec<RepresentationRow>,
    misleading: Vec<MisleadingKeyRow>,
}

impl LinkRows {
    /// A payer's statement on this taxpayer named the handle of a neighbour's channel.
    pub(super) fn misnamed(&mut self, creator: &Creator, taxpayer_id: &str) {
        self.misleading.push(MisleadingKeyRow {
            channel_id: creator.keys.neighbour.channel_id.clone(),
            evidence: "payer_handle",
            taxpayer_id: taxpayer_id.to_owned(),
        });
    }

    /// Who runs which business, who registered which account, and whom the keys of channels point to by mistake.
    pub(super) fn register(&mut self, community: &Community, creators: &[Creator]) {
        let owners = owners(community, creators);
        self.owners.extend(community.firms().zip(&owners).map(|((_, business), &owner)| BusinessOwnerRow {
            ban: business.ban,
            owner_id: community.taxpayers[owner].id.clone(),
        }));
        for creator in creators {
            let keys = &creator.keys;
            let taxpayer_id = &community.taxpayers[creator.taxpayer].id;
            let mut mislead = |channel_id: &str, evidence, taxpayer_id: &str| {
                self.misleading.push(MisleadingKeyRow {
                    channel_id: channel_id.to_owned(),
                    evidence,
                    taxpayer_id: taxpayer_id.to_owned(),
                });
            };
            if let Some(other) = keys.others_email {
                mislead(&creator.channel_id, "registered_email", &community.taxpayers[other].id);
            }
            if let Some(owner) =
                keys.shown.filter(|shown| !shown.own).and_then(|shown| owners.get(shown.firm))
                && *owner != creator.taxpayer
            {
                mislead(&creator.channel_id, "ban_name", &community.taxpayers[*owner].id);
            }
            if let Some((registered_on, own)) = keys.registered {
                let own = own || keys.neighbour.channel_id == creator.channel_id;
                if !own {
                    mislead(&keys.neighbour.channel_id, "registered_account", taxpayer_id);
                }
                self.accounts.push(RegisteredAccountRow {
                    taxpayer_id: taxpayer_id.clone(),
                    account: if own { &creator.handle } else { &keys.neighbour.handle }.clone(),
                    registered_on,
                });
            }
            if let Some(agency) = keys.agency {
                self.agencies
                    .push(RepresentationRow { channel_id: creator.channel_id.clone(), agency_id: agency.id });
            }
        }
    }
}

/// Who runs each business, by positions in the community's taxpayers: a creator, or anybody.
fn owners(community: &Community, creators: &[Creator]) -> Vec<usize> {
    let people = &community.individuals;
    let mut owners: Vec<usize> = (0..community.businesses.len())
        .map(|firm| people.get((firm * 7 + 3) % people.len().max(1)).copied().unwrap_or(0))
        .collect();
    for creator in creators {
        if let Some(owner) = creator.keys.studio.and_then(|firm| owners.get_mut(firm)) {
            *owner = creator.taxpayer;
        }
    }
    owners
}

/// The tables of these rows, written in order.
pub(super) struct LinkTables {
    owners: Table<BusinessOwnerRow>,
    accounts: Table<RegisteredAccountRow>,
    agencies: Table<RepresentationRow>,
    misleading: Table<MisleadingKeyRow>,
}

impl LinkTables {
    pub(super) fn create(work: &Work<'_>) -> Result<Self, GenerateError> {
        fn table<R: Record>(work: &Work<'_>) -> Result<Table<R>, GenerateError> {
            Table::create(&work.staging.path(R::TABLE).join("part-00000.parquet"))
        }
        Ok(Self {
            owners: table(work)?,
            accounts: table(work)?,
            agencies: table(work)?,
            misleading: table(work)?,
        })
    }

    pub(super) fn extend(&mut self, rows: LinkRows) -> Result<(), GenerateError> {
        self.owners.extend(rows.owners)?;
        self.accounts.extend(rows.accounts)?;
        self.agencies.extend(rows.agencies)?;
        self.misleading.extend(rows.misleading)
    }

    pub(super) fn close(self) -> Result<[Count; 4], GenerateError> {
        Ok([
            (BusinessOwnerRow::TABLE, self.owners.close()?),
            (RegisteredAccountRow::TABLE, self.accounts.close()?),
            (RepresentationRow::TABLE, self.agencies.close()?),
            (MisleadingKeyRow::TABLE, self.misleading.close()?),
        ])
    }
}
