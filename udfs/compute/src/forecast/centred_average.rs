//! The trend of a classical decomposition.

/// Centred moving average over one season, half weights at both ends for an even season.
#[derive(Debug, Clone, Default)]
pub(crate) struct CentredAverage {
    half: usize,
    inner: Vec<f64>,
}

impl CentredAverage {
    /// Of `values`; empty where they are not longer than a season.
    pub(crate) fn new(values: &[f64], season: usize) -> Self {
        let half = season / 2;
        let even = season.is_multiple_of(2);
        let inner = values.windows(2 * half + 1).map(|window| {
            let total = match window {
                [first, between @ .., last] if even => 0.5 * (first + last) + between.iter().sum::<f64>(),
                _ => window.iter().sum::<f64>(),
            };
            total / season as f64
        });
        Self { half, inner: if season > 0 { inner.collect() } else { Vec::new() } }
    }

    /// Index of the first value that has an average; as many at the end have none.
    pub(crate) fn first(&self) -> usize {
        self.half
    }

    /// The averages from [`Self::first`] on.
    pub(crate) fn inner(&self) -> &[f64] {
        &self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_is_the_line() {
        let line: Vec<f64> = (0..20_u32).map(f64::from).collect();
        for season in [1, 2, 4, 5, 12] {
            let average = CentredAverage::new(&line, season);
            assert_eq!(average.inner().len(), 20 - 2 * average.first());
            for (value, expected) in average.inner().iter().zip(&line[average.first()..]) {
                assert!((value - expected).abs() < 1e-12, "season {season}: {average:?}");
            }
        }
    }

    #[test]
    fn needs_a_whole_season() {
        assert!(CentredAverage::new(&[1.0; 12], 12).inner().is_empty());
        assert_eq!(CentredAverage::new(&[1.0; 13], 12).inner(), [1.0]);
    }
}
