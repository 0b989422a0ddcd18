//! The parameter searches of many series as data, for a device that runs them elsewhere.

use std::error::Error;
use std::ops::Range;

use rayon::prelude::*;

use super::batch::Places;
use super::dot;
use super::exponential_smoothing::{Kept, Ring, Search, Shape};
use super::smoothing_pass::Smoothing;
use super::theta_pass::Theta;
use super::zoom::{Coordinate, MOST};

/// The search for the smoothing parameters of one model of one series. Of 3 × 32 candidates it keeps the one with the
/// least squared error, or the greatest likelihood where errors are relative.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothingSearch {
    /// The model.
    pub shape: Shape,
    /// The place of the series in [`Searches::values`].
    pub values: Range<usize>,
    /// The place of the factors before the first value in [`Searches::factors`]; empty without a season.
    pub factors: Range<usize>,
    /// Level before the first value.
    pub level: f64,
    /// Slope before the first value; 0 without a trend.
    pub slope: f64,
    /// Level, trend, season and damping, as far as the model has them; as many are searched as it has parameters.
    pub coordinates: [Coordinate; MOST],
}

/// The search for the parameters of the Dynamic Theta model of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct ThetaSearch {
    /// The place of the series, without its season, in [`Searches::values`]. Not empty.
    pub values: Range<usize>,
    /// The place in [`Searches::lines`] of intercept and slope of the line before each value but the first.
    pub lines: Range<usize>,
    /// Initial level, smoothing of the level, logarithm of theta.
    pub coordinates: [Coordinate; 3],
}

/// Searches that do not depend on each other, and the numbers they read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Searches {
    /// Series, one after another.
    pub values: Vec<f64>,
    /// Seasonal factors.
    pub factors: Vec<f64>,
    /// Intercepts and slopes.
    pub lines: Vec<(f64, f64)>,
    /// Searches of exponential smoothing models.
    pub smoothing: Vec<SmoothingSearch>,
    /// Searches of Dynamic Theta models.
    pub theta: Vec<ThetaSearch>,
}

/// The best candidate of a [`SmoothingSearch`] after the last value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothingFound {
    /// −2 log-likelihood up to a constant.
    pub minus_two_log_likelihood: f64,
    /// Sum of squared errors, of the relative ones where errors are relative.
    pub squared: f64,
    /// Level.
    pub level: f64,
    /// Slope.
    pub slope: f64,
    /// The parameters.
    pub smoothing: Smoothing<f64>,
}

/// What searches found, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// `None` where no candidate has a finite objective.
    pub smoothing: Vec<Option<SmoothingFound>>,
    /// The factors after the last value, at the places of the first ones in [`Searches::factors`].
    pub factors: Vec<f64>,
    /// Parameters and state after the last value.
    pub theta: Vec<Theta<f64>>,
    /// How many of the searches ran elsewhere than on the processor.
    pub on_device: usize,
}

/// Something that runs searches. It finds the bits that [`Searches::run`] does.
pub trait SearchDevice: Send + Sync {
    /// Runs the searches. Calls may come from several threads at once.
    ///
    /// # Errors
    /// When the device fails; the searches may then be run elsewhere.
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>>;

    /// The most bytes of [`Searches`] that it takes at once.
    fn most_bytes(&self) -> usize;
}

impl Searches {
    /// Adds others; gives the places of their smoothing searches and of their theta searches.
    pub(crate) fn append(&mut self, other: Self) -> Places {
        let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
        let (values, factors, lines) = (self.values.len(), self.factors.len(), self.lines.len());
        let (smoothing, theta) = (self.smoothing.len(), self.theta.len());
        self.values.extend(other.values);
        self.factors.extend(other.factors);
        self.lines.extend(other.lines);
        self.smoothing.extend(other.smoothing.into_iter().map(|search| SmoothingSearch {
            values: moved(search.values, values),
            factors: moved(search.factors, factors),
            ..search
        }));
        self.theta.extend(other.theta.into_iter().map(|search| ThetaSearch {
            values: moved(search.values, values),
            lines: moved(search.lines, lines),
            ..search
        }));
        (smoothing..self.smoothing.len(), theta..self.theta.len())
    }

    /// Bytes of the searches, their numbers and what they find.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<f64>() * (self.values.len() + 2 * self.factors.len() + 2 * self.lines.len())
            + (size_of::<SmoothingSearch>() + size_of::<Option<SmoothingFound>>()) * self.smoothing.len()
            + (size_of::<ThetaSearch>() + size_of::<Theta<f64>>()) * self.theta.len()
    }

    /// Runs the searches on all threads of the current rayon pool.
    #[must_use]
    pub fn run(&self) -> Found {
        let arch = pulp::Arch::new();
        let run = |ring: &mut Ring, search: &SmoothingSearch| {
            arch.dispatch(Search {
                shape: search.shape,
                values: &self.values[search.values.clone()],
                coordinates: search.coordinates,
                start: (search.level, search.slope),
                factors: &self.factors[search.factors.clone()],
                ring,
            })
        };
        let kept: Vec<Option<Kept>> = self.smoothing.par_iter().map_init(Ring::new, run).collect();
        let mut factors = self.factors.clone();
        for (search, kept) in self.smoothing.iter().zip(&kept) {
            if let Some(kept) = kept {
                factors[search.factors.clone()].copy_from_slice(&kept.factors);
            }
        }
        let run = |search: &ThetaSearch| {
            arch.dispatch(dot::Search {
                values: &self.values[search.values.clone()],
                lines: &self.lines[search.lines.clone()],
                coordinates: search.coordinates,
            })
        };
        Found {
            smoothing: kept.into_iter().map(|kept| kept.as_ref().map(SmoothingFound::of)).collect(),
            factors,
            theta: self.theta.par_iter().map(run).collect(),
            on_device: 0,
        }
    }
}

impl SmoothingFound {
    fn of(kept: &Kept) -> Self {
        Self {
            minus_two_log_likelihood: kept.minus_two_log_likelihood,
            squared: kept.squared,
            level: kept.level,
            slope: kept.slope,
            smoothing: kept.smoothing,
        }
    }

    /// With the factors after the last value.
    pub(crate) fn kept(self, factors: &[f64]) -> Kept {
        Kept {
            minus_two_log_likelihood: self.minus_two_log_likelihood,
            squared: self.squared,
            level: self.level,
            slope: self.slope,
            smoothing: self.smoothing,
            factors: factors.to_vec(),
        }
    }
}
