use std::path::PathBuf;

use crate::error::GenerateError;

/// The smallest scale that still has businesses to trade and creators to look for.
pub const SMALLEST_SCALE: f64 = 0.0001;
/// The largest scale: beyond it the eight digits of synthetic business numbers run out.
pub const LARGEST_SCALE: f64 = 100.0;

/// What to generate and where.
#[derive(Clone, Debug)]
pub struct GenerateOptions {
    /// 1 is ten million invoices, 200,000 taxpayers and 20,000 creators; from [`SMALLEST_SCALE`] to [`LARGEST_SCALE`].
    pub scale: f64,
    /// Same seed and scale: the same bytes, for any number of threads.
    pub seed: u64,
    /// The lake's directory; it may exist and hold other tables.
    pub out: PathBuf,
    /// Threads to use; all cores without a value.
    pub threads: Option<usize>,
    /// Replace tables that exist already. They stay as they are until the new ones are complete.
    pub overwrite: bool,
}

/// How many of everything a scale means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) taxpayers: u64,
    pub(crate) creators: u64,
    pub(crate) headers: u64,
    pub(crate) documents: u64,
}

impl Size {
    pub(crate) fn of(scale: f64) -> Result<Self, GenerateError> {
        if !(SMALLEST_SCALE..=LARGEST_SCALE).contains(&scale) {
            return Err(GenerateError::Scale { scale });
        }
        let times = |at_one: f64| u64::try_from(crate::random::to_whole(at_one * scale)).unwrap_or(0);
        Ok(Self {
            taxpayers: times(200_000.0),
            creators: times(20_000.0),
            headers: times(10_000_000.0),
            documents: times(400_000.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_mean_what_is_promised() {
        let size = Size::of(0.001).unwrap();
        assert_eq!(size, Size { taxpayers: 200, creators: 20, headers: 10_000, documents: 400 });
        assert_eq!(Size::of(1.0).unwrap().headers, 10_000_000);
    }

    #[test]
    fn nonsense_scales_are_refused() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9, 1e-9] {
            let message = Size::of(scale).unwrap_err().to_string();
            assert!(message.contains("0.0001") && message.contains("100"), "{message}");
        }
    }
}
