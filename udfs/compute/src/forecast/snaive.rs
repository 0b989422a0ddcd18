//! Member `snaive`: the last season again.

/// Repeats the last season (the last value, where there is not a whole season). Empty for no values.
pub(crate) fn snaive(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
    let n = values.len();
    let season = if n >= season { season.max(1) } else { 1 };
    if n == 0 {
        return Vec::new();
    }
    (0..horizon).map(|step| values[n - season + step % season]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_the_last_season() {
        let check = |season, expected: &[f64]| assert_eq!(snaive(&[1.0, 2.0, 3.0, 4.0], season, 5), expected);
        check(1, &[4.0; 5]);
        check(2, &[3.0, 4.0, 3.0, 4.0, 3.0]);
        check(4, &[1.0, 2.0, 3.0, 4.0, 1.0]);
        check(5, &[4.0; 5]);
        check(0, &[4.0; 5]);
        assert!(snaive(&[], 4, 3).is_empty());
    }
}
