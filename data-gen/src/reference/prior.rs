use super::table_text::{field, number, rows};

/// One number that the estimator of creators' income assumes before any evidence.
#[derive(Debug)]
pub(crate) struct Prior {
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
    /// Which of several of that name; empty where there is one.
    pub(crate) key: &'static str,
    pub(crate) value: f64,
    /// The range that one who knows the sources would defend.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) unit: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) source: &'static str,
    pub(crate) confidence: &'static str,
}

pub(crate) fn priors() -> Vec<Prior> {
    rows(include_str!("data/priors.tsv"))
        .map(|row| Prior {
            version: field(&row, 0),
            name: field(&row, 1),
            key: field(&row, 2),
            value: number(&row, 3),
            low: number(&row, 4),
            high: number(&row, 5),
            unit: field(&row, 6),
            meaning: field(&row, 7),
            source: field(&row, 8),
            confidence: field(&row, 9),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_whole() {
        let priors = priors();
        assert_eq!(priors.len(), 76);
        for prior in &priors {
            assert!(["high", "medium", "low"].contains(&prior.confidence), "{prior:?}");
            assert!(prior.low <= prior.value && prior.value <= prior.high, "{prior:?}");
            assert!(
                !prior.unit.is_empty() && !prior.meaning.is_empty() && !prior.source.is_empty(),
                "{prior:?}"
            );
        }
        assert!(priors.iter().any(|prior| prior.name == "ads_per_thousand" && prior.value == 35.0));
    }
}
