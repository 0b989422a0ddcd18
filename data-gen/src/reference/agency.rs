use std::sync::LazyLock;

use super::table_text::{field, rows};
use crate::identifier::{Ban, business_ban};

/// An agency: it stands between brands and creators, and is neither.
#[derive(Debug)]
pub(crate) struct Agency {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) ban: Ban,
}

/// Beyond the businesses of the largest lake.
const FIRST_NUMBER: u64 = 4_000_000;

pub(crate) fn agencies() -> &'static [Agency] {
    static LIST: LazyLock<Vec<Agency>> = LazyLock::new(|| {
        rows(include_str!("data/agency.tsv"))
            .zip(FIRST_NUMBER..)
            .map(|(row, number)| Agency {
                id: field(&row, 0),
                name: field(&row, 1),
                email: field(&row, 2),
                ban: business_ban(number, true),
            })
            .collect()
    });
    &LIST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_are_whole_and_differ() {
        assert_eq!(agencies().len(), 5);
        for (at, agency) in agencies().iter().enumerate() {
            assert!(agency.email.ends_with(".example") && !agency.name.is_empty());
            assert!(
                agencies()[..at].iter().all(|other| other.id != agency.id && other.email != agency.email)
            );
        }
    }
}
