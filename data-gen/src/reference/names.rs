use std::sync::LazyLock;

use super::table_text::{field, rows};

/// Word stock for made-up names.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) surname: Vec<&'static str>,
    pub(crate) given: Vec<&'static str>,
    pub(crate) company: Vec<&'static str>,
    pub(crate) trade: Vec<&'static str>,
    pub(crate) form: Vec<&'static str>,
    pub(crate) brand: Vec<&'static str>,
    pub(crate) nickname: Vec<&'static str>,
    pub(crate) handle: Vec<&'static str>,
    pub(crate) bank: Vec<&'static str>,
}

pub(crate) fn words() -> &'static Words {
    static WORDS: LazyLock<Words> = LazyLock::new(|| {
        let of = |kind: &str| {
            rows(include_str!("data/names.tsv"))
                .filter(|row| row.first() == Some(&kind))
                .flat_map(|row| field(&row, 1).split(' ').collect::<Vec<_>>())
                .collect()
        };
        Words {
            surname: of("surname"),
            given: of("given"),
            company: of("company"),
            trade: of("trade"),
            form: of("form"),
            brand: of("brand"),
            nickname: of("nickname"),
            handle: of("handle"),
            bank: of("bank"),
        }
    });
    &WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames_have_handles() {
        assert!(words().surname.len() > 20 && words().given.len() > 40 && words().bank.len() > 5);
        assert_eq!(words().nickname.len(), words().handle.len());
    }
}
