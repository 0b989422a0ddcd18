use std::sync::LazyLock;

use super::table_text::{cumulative, field, number, rows};
use crate::random::Stream;

/// A national taxation bureau.
#[derive(Debug)]
pub(crate) struct Bureau {
    pub(crate) code: &'static str,
    pub(crate) name_zh: &'static str,
    pub(crate) name_en: &'static str,
}

/// A county or city.
#[derive(Debug)]
pub(crate) struct County {
    pub(crate) code: &'static str,
    pub(crate) id_letter: &'static str,
    pub(crate) name_zh: &'static str,
    pub(crate) name_en: &'static str,
    pub(crate) bureau_code: &'static str,
    pub(crate) local_bureau_zh: &'static str,
    pub(crate) population: i64,
}

pub(crate) fn bureaus() -> &'static [Bureau] {
    static LIST: LazyLock<Vec<Bureau>> = LazyLock::new(|| {
        rows(include_str!("data/bureau.tsv"))
            .map(|row| Bureau { code: field(&row, 0), name_zh: field(&row, 1), name_en: field(&row, 2) })
            .collect()
    });
    &LIST
}

pub(crate) fn counties() -> &'static [County] {
    static LIST: LazyLock<Vec<County>> = LazyLock::new(|| {
        rows(include_str!("data/county.tsv"))
            .map(|row| County {
                code: field(&row, 0),
                id_letter: field(&row, 1),
                name_zh: field(&row, 2),
                name_en: field(&row, 3),
                bureau_code: field(&row, 4),
                local_bureau_zh: field(&row, 5),
                population: number(&row, 6),
            })
            .collect()
    });
    &LIST
}

pub(crate) fn county_by_population(random: &mut Stream) -> &'static County {
    static EDGES: LazyLock<Vec<u32>> = LazyLock::new(|| {
        cumulative(counties().iter().map(|county| u32::try_from(county.population / 1000).unwrap_or(1)))
    });
    &counties()[random.weighted(&EDGES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_county_has_a_bureau() {
        assert_eq!((bureaus().len(), counties().len()), (5, 22));
        for county in counties() {
            assert!(bureaus().iter().any(|bureau| bureau.code == county.bureau_code), "{county:?}");
            assert!(county.population > 10_000, "{county:?}");
        }
    }
}
