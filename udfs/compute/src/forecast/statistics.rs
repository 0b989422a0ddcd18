//! Small statistics that several members share.

/// Arithmetic mean; 0 for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Mean absolute value; 0 for no values.
pub(crate) fn mean_absolute(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().map(|v| v.abs()).sum::<f64>() / values.len() as f64 }
}

/// Population variance; 0 for no values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    if values.is_empty() {
        0.0
    } else {
        values.iter().map(|v| (v - centre) * (v - centre)).sum::<f64>() / values.len() as f64
    }
}

/// Median of the finite values (mean of the two in the middle); `None` if there is none. Leaves the finite
/// values in ascending order.
pub(crate) fn median(values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(0.5 * (values[middle - 1] + upper)) }
}

/// Mean absolute difference at the distance of one season, or of one step where the series is not longer
/// than a season; `None` for a single value.
pub(crate) fn seasonal_naive_error(values: &[f64], season: usize) -> Option<f64> {
    let lag = if values.len() > season { season.max(1) } else { 1 };
    if values.len() <= lag {
        return None;
    }
    let total: f64 = values.iter().zip(&values[lag..]).map(|(before, after)| (after - before).abs()).sum();
    Some(total / (values.len() - lag) as f64)
}

/// Whether the autocorrelation at one season is significant at 90 %: the seasonality test of the M4
/// competition. Never for fewer than three seasons.
pub(crate) fn is_seasonal(values: &[f64], season: usize) -> bool {
    let n = values.len();
    if season < 2 || n < 3 * season {
        return false;
    }
    let centre = mean(values);
    let total: f64 = values.iter().map(|v| (v - centre) * (v - centre)).sum();
    if total <= 0.0 || !total.is_finite() {
        return false;
    }
    let autocorrelation = |lag: usize| -> f64 {
        values.iter().zip(&values[lag..]).map(|(a, b)| (b - centre) * (a - centre)).sum::<f64>() / total
    };
    let squares: f64 = (1..season).map(autocorrelation).map(|correlation| correlation * correlation).sum();
    autocorrelation(season).abs() > 1.645 * ((1.0 + 2.0 * squares) / n as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_ignores_what_is_not_finite() {
        let check =
            |values: &[f64], expected: Option<f64>| assert_eq!(median(&mut values.to_vec()), expected);
        check(&[], None);
        check(&[f64::NAN], None);
        check(&[3.0, 1.0, f64::INFINITY, 2.0], Some(2.0));
        check(&[4.0, 1.0, 3.0, 2.0], Some(2.5));
    }

    #[test]
    fn seasonality_needs_three_seasons_and_a_pattern() {
        let wave: Vec<f64> = (0..48_u32).map(|t| f64::from(t % 4) + f64::from(t % 7) * 0.1).collect();
        assert!(is_seasonal(&wave, 4));
        assert!(!is_seasonal(&wave[..11], 4));
        assert!(!is_seasonal(&[5.0; 48], 4));
        assert!(!is_seasonal(&wave, 1));
    }

    #[test]
    fn seasonal_naive_error_falls_back_to_one_step() {
        assert_eq!(seasonal_naive_error(&[1.0], 12), None);
        assert_eq!(seasonal_naive_error(&[1.0, 3.0], 12), Some(2.0));
        assert_eq!(seasonal_naive_error(&[1.0, 3.0, 4.0, 5.0], 2), Some(2.5));
    }
}
