use super::table_text::{field, number, rows};

/// What a kind of evidence says of whose channel it is (Fellegi and Sunter 1969).
#[derive(Debug)]
pub(crate) struct LinkWeight {
    pub(crate) evidence: &'static str,
    /// `owner`, or `represented_by` for agencies.
    pub(crate) relation: &'static str,
    /// How often it agrees with the true party, where it is there.
    pub(crate) m: f64,
    /// How often it agrees with another.
    pub(crate) u: f64,
    /// log2(m / u).
    pub(crate) weight: f64,
    /// log2((1 - m) / (1 - u)), for a party that the evidence passes over for another.
    pub(crate) disagreement: f64,
    pub(crate) strong: bool,
    pub(crate) meaning: &'static str,
    pub(crate) source: &'static str,
    pub(crate) confidence: &'static str,
}

pub(crate) fn link_weights() -> Vec<LinkWeight> {
    rows(include_str!("data/link_weight.tsv"))
        .map(|row| LinkWeight {
            evidence: field(&row, 0),
            relation: field(&row, 1),
            m: number(&row, 2),
            u: number(&row, 3),
            weight: number(&row, 4),
            disagreement: number(&row, 5),
            strong: number(&row, 6),
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
    fn weights_follow_from_their_probabilities() {
        assert_eq!(link_weights().len(), 9);
        for row in link_weights() {
            assert!(0.0 < row.u && row.u < row.m && row.m < 1.0, "{row:?}");
            assert!((row.weight - libm::log2(row.m / row.u)).abs() <= 0.005_001, "{row:?}");
            assert!(
                (row.disagreement - libm::log2((1.0 - row.m) / (1.0 - row.u))).abs() <= 0.005_001,
                "{row:?}"
            );
            assert!(!row.strong || row.weight >= 4.0, "{row:?}");
            assert!(["owner", "represented_by"].contains(&row.relation), "{row:?}");
            assert!(!row.meaning.is_empty() && !row.source.is_empty() && !row.confidence.is_empty());
        }
    }
}
