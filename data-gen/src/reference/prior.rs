use super::table_text::{field, rows};

/// The version column of `income.priors`.
pub(crate) const PRIORS_VERSION: &str = "tithe-priors-1";

/// One model constant of creators' income.
#[derive(Debug)]
pub(crate) struct Prior {
    pub(crate) component: &'static str,
    pub(crate) parameter: &'static str,
    pub(crate) stratum: &'static str,
    pub(crate) dist: &'static str,
    /// The median as published: a number, a formula or a list.
    pub(crate) median_text: &'static str,
    pub(crate) log_sd: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) range_seen: &'static str,
    pub(crate) source: &'static str,
    pub(crate) confidence: &'static str,
}

pub(crate) fn priors() -> Vec<Prior> {
    rows(include_str!("data/priors.tsv"))
        .map(|row| Prior {
            component: field(&row, 0),
            parameter: field(&row, 1),
            stratum: field(&row, 2),
            dist: field(&row, 3),
            median_text: field(&row, 4),
            log_sd: field(&row, 5).parse().ok(),
            unit: field(&row, 6),
            range_seen: field(&row, 7),
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
        assert_eq!(priors.len(), 57);
        assert!(
            priors
                .iter()
                .all(|p| ["high", "medium", "low"].iter().any(|level| p.confidence.starts_with(level)))
        );
        assert!(priors.iter().any(|p| p.parameter == "RPM_longform" && p.median_text == "35"));
    }
}
