use super::Priors;
use crate::random::{exp_lane, ln, ln_gamma, ln_lane};

/// How likely a declared amount is, given true receipts: a mixture of compliant and evading creators on what
/// payers did not report, with a small share of declarations that follow neither.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compliance {
    pub(crate) declared: f64,
    reported: f64,
    ln_declared: f64,
    compliant: Beta,
    evading: Beta,
    contamination_spread: f64,
    ln_contamination: f64,
}

/// A weighted beta density.
#[derive(Debug, Clone, Copy)]
struct Beta {
    a: f64,
    b: f64,
    ln_factor: f64,
}

impl Beta {
    fn new((a, b): (f64, f64), weight: f64) -> Self {
        Self { a, b, ln_factor: ln(weight) + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) }
    }

    #[inline(always)]
    fn density(&self, ln_x: f64, ln_rest: f64) -> f64 {
        exp_lane(self.ln_factor + (self.a - 1.0) * ln_x + (self.b - 1.0) * ln_rest)
    }
}

impl Compliance {
    /// `declared` must exceed `reported`.
    pub(crate) fn new(declared: f64, reported: f64, priors: &Priors) -> Self {
        let (contaminated, spread) = priors.declaration_contamination;
        let clean = 1.0 - contaminated;
        Self {
            declared,
            reported,
            ln_declared: ln(declared),
            compliant: Beta::new(priors.compliant, clean * priors.compliant_share),
            evading: Beta::new(priors.evading, clean * (1.0 - priors.compliant_share)),
            contamination_spread: spread,
            ln_contamination: ln(contaminated / (spread * 2.506_628_274_631_000_7)) - ln(declared),
        }
    }

    /// Declared and reported amount, logarithm of the declared, spread and logarithm of the factor of declarations that
    /// follow nothing; then both beta densities, each with its logarithmic factor.
    pub(crate) fn parameters(&self) -> [f64; 11] {
        let Self { compliant, evading, .. } = self;
        [
            self.declared,
            self.reported,
            self.ln_declared,
            self.contamination_spread,
            self.ln_contamination,
            compliant.a,
            compliant.b,
            compliant.ln_factor,
            evading.a,
            evading.b,
            evading.ln_factor,
        ]
    }

    /// Logarithm of the density of the declared amount when this much was received.
    #[inline(always)]
    pub(crate) fn ln_density(&self, received: f64) -> f64 {
        let z = (self.ln_declared - ln_lane(received)) / self.contamination_spread;
        let contaminated = self.ln_contamination - 0.5 * z * z;
        let unreported = received - self.reported;
        let share = (self.declared - self.reported) / unreported;
        let (ln_share, ln_rest) = (ln_lane(share), ln_lane(1.0 - share));
        let density = self.compliant.density(ln_share, ln_rest) + self.evading.density(ln_share, ln_rest);
        let mixed = ln_lane(density / unreported + exp_lane(contaminated));
        if (unreported <= 0.0) | (share >= 1.0) { contaminated } else { mixed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The density of the declared amount integrates to one over all amounts above what payers reported.
    #[test]
    fn is_a_density_of_the_declared_amount() {
        let priors = Priors::default();
        let (reported, received) = (20_000.0, 100_000.0);
        let steps = 400_000_u32;
        let width = 400_000.0 / f64::from(steps);
        let total: f64 = (0..steps)
            .map(|step| reported + (f64::from(step) + 0.5) * width)
            .map(|declared| Compliance::new(declared, reported, &priors).ln_density(received).exp() * width)
            .sum();
        assert!((total - 1.0).abs() < 1e-3, "{total}");
    }

    #[test]
    fn is_no_floor() {
        let priors = Priors::default();
        let compliance = Compliance::new(100_000.0, 0.0, &priors);
        assert!(compliance.ln_density(90_000.0) > compliance.ln_density(40_000.0));
        assert!(compliance.ln_density(90_000.0).is_finite());
        assert!(compliance.ln_density(110_000.0) > compliance.ln_density(10_000_000.0));
    }
}
