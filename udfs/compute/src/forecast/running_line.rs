//! The least-squares line through all values seen so far.

/// A line through the values at 1, 2, …, updated value by value. It does not depend on any parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunningLine {
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
    mean: f64,
    seen: f64,
}

impl RunningLine {
    /// After one value.
    pub(crate) fn new(first: f64) -> Self {
        Self { intercept: first, slope: 0.0, mean: first, seen: 1.0 }
    }

    pub(crate) fn update(&mut self, value: f64) {
        let n = self.seen;
        let mean = (n * self.mean + value) / (n + 1.0);
        self.slope = ((n - 1.0) * self.slope + 6.0 * (value - self.mean) / (n + 1.0)) / (n + 2.0);
        self.intercept = mean - self.slope * (n + 2.0) / 2.0;
        self.mean = mean;
        self.seen += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_least_squares_line() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0];
        let mut line = RunningLine::new(values[0]);
        for value in &values[1..] {
            line.update(*value);
        }
        let n = values.len() as f64;
        let weighted = values.iter().enumerate().map(|(t, v)| v * (t + 1) as f64).sum::<f64>() / n;
        let mean = values.iter().sum::<f64>() / n;
        let slope = 6.0 * (2.0 * weighted - (n + 1.0) * mean) / (n * n - 1.0);
        assert!((line.slope - slope).abs() < 1e-12);
        assert!((line.intercept - (mean - (n + 1.0) * slope / 2.0)).abs() < 1e-12);
    }
}
