//! Searches and what they find as words of eight bytes, in the layout of `kernels/search.cu`.

use tithe_compute::forecast::{
    Coordinate, Smoothing, SmoothingFound, SmoothingSearch, Theta, ThetaSearch, Trend,
};

use crate::CudaError;

/// Words of a search.
pub const SEARCH: usize = 19;
/// Words of what a smoothing search finds.
pub const SMOOTHING_FOUND: usize = 9;
/// Words of what a theta search finds.
pub const THETA_FOUND: usize = 4;

/// A kernel reads none of the words that have this value.
const UNUSED: u64 = u64::MAX;

pub(super) fn smoothing_words(search: &SmoothingSearch) -> [u64; SEARCH] {
    let places = [search.values.start, search.factors.start, search.values.len(), search.factors.len()];
    let damped = u64::from(search.shape.trend == Trend::Damped);
    words(places, damped, [search.level, search.slope].map(f64::to_bits), &search.coordinates)
}

pub(super) fn theta_words(search: &ThetaSearch) -> [u64; SEARCH] {
    let places = [search.values.start, search.lines.start, search.values.len(), usize::MAX];
    words(places, UNUSED, [UNUSED; 2], &search.coordinates)
}

fn words(places: [usize; 4], damped: u64, state: [u64; 2], coordinates: &[Coordinate]) -> [u64; SEARCH] {
    let mut words = [UNUSED; SEARCH];
    let numbers =
        coordinates.iter().flat_map(|coordinate| [coordinate.start, coordinate.low, coordinate.high]);
    let all = places.map(|place| place as u64).into_iter().chain([damped]).chain(state);
    for (word, value) in words.iter_mut().zip(all.chain(numbers.map(f64::to_bits))) {
        *word = value;
    }
    words
}

/// `None` where no candidate has a finite objective.
///
/// # Errors
/// When these are words that no kernel writes.
pub(super) fn smoothing_found(words: &[u64]) -> Result<Option<SmoothingFound>, CudaError> {
    match *words {
        [0, ..] if words.len() == SMOOTHING_FOUND => Ok(None),
        [1, likelihood, squared, level, slope, alpha, beta, gamma, damping] => Ok(Some(SmoothingFound {
            minus_two_log_likelihood: f64::from_bits(likelihood),
            squared: f64::from_bits(squared),
            level: f64::from_bits(level),
            slope: f64::from_bits(slope),
            smoothing: Smoothing {
                level: f64::from_bits(alpha),
                slope: f64::from_bits(beta),
                season: f64::from_bits(gamma),
                damping: f64::from_bits(damping),
            },
        })),
        _ => Err(CudaError::Corrupt),
    }
}

/// # Errors
/// When these are words that no kernel writes.
pub(super) fn theta_found(words: &[u64]) -> Result<Theta<f64>, CudaError> {
    match words.iter().map(|word| f64::from_bits(*word)).collect::<Vec<_>>()[..] {
        [alpha, line_weight, level, decay] => Ok(Theta { alpha, line_weight, level, decay }),
        _ => Err(CudaError::Corrupt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_kernel_writes_is_read() {
        assert_eq!(smoothing_found(&[0, 7, 7, 7, 7, 7, 7, 7, 7]), Ok(None));
        let found = smoothing_found(&[1, 0, 0, 0, 0, 0, 0, 0, 1.5_f64.to_bits()]).expect("words of a kernel");
        assert_eq!(found.map(|found| found.smoothing.damping), Some(1.5));
        for wrong in [&[2; 9][..], &[0; 8], &[1; 10], &[]] {
            assert_eq!(smoothing_found(wrong), Err(CudaError::Corrupt));
        }
        assert_eq!(theta_found(&[0; 3]), Err(CudaError::Corrupt));
    }
}
