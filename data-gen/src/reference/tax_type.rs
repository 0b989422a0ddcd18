use std::sync::LazyLock;

use super::table_text::{field, number, rows};

/// A tax, its yearly level and its year's course.
#[derive(Debug)]
pub(crate) struct TaxType {
    pub(crate) code: &'static str,
    pub(crate) name_zh: &'static str,
    pub(crate) name_en: &'static str,
    pub(crate) level: &'static str,
    /// What its counties' shares follow: population, business, property, capital or harbour.
    pub(crate) spread: &'static str,
    /// NT$ million a year, 2011 to 2025.
    pub(crate) yearly: Vec<i64>,
    /// Share of each month, per mille.
    pub(crate) profile: Vec<i64>,
}

pub(crate) fn tax_types() -> &'static [TaxType] {
    static LIST: LazyLock<Vec<TaxType>> = LazyLock::new(|| {
        rows(include_str!("data/tax_type.tsv"))
            .map(|row| TaxType {
                code: field(&row, 0),
                name_zh: field(&row, 1),
                name_en: field(&row, 2),
                level: field(&row, 3),
                spread: field(&row, 4),
                yearly: (5..20).map(|index| number(&row, index)).collect(),
                profile: rows(include_str!("data/tax_profile.tsv"))
                    .filter(|profile| profile.first() == row.first())
                    .flat_map(|profile| (1..13).map(move |index| number(&profile, index)).collect::<Vec<_>>())
                    .collect(),
            })
            .collect()
    });
    &LIST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tax_has_fifteen_years_and_a_whole_profile() {
        assert_eq!(tax_types().iter().filter(|tax| tax.level == "local").count(), 8);
        for tax in tax_types() {
            assert_eq!((tax.yearly.len(), tax.profile.len()), (15, 12), "{tax:?}");
            let total: i64 = tax.profile.iter().sum();
            assert!(total == 0 || (980..=1020).contains(&total), "{}: {total}", tax.code);
            assert_eq!(total == 0, tax.yearly.iter().all(|&level| level == 0), "{}", tax.code);
        }
    }
}
