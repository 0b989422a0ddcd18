//! Exponential smoothing models (Hyndman et al. 2008) fitted to a series, for the members `ets` and `hw`.

use pulp::{Simd, WithSimd};

use super::initial_state::InitialState;
use super::lanes::Lanes;
use super::parameter::Parameter;
use super::smoothing_pass::{self as passes, Form, Outcome, Smoothing, pass};
use super::zoom::{Coordinate, MOST, Objective, zoom};

/// The slope of the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// There is none.
    None,
    /// The same at every step ahead.
    Additive,
    /// Less at every step ahead.
    Damped,
}

/// One exponential smoothing model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Season and errors.
    pub form: Form,
    /// Slope.
    pub trend: Trend,
}

/// What a fit gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    pub(crate) forecast: Vec<f64>,
    /// Corrected information criterion; comparable between shapes of one series.
    pub(crate) aicc: f64,
    /// Root mean square of the one-step errors, of the relative ones where errors are relative.
    pub(crate) one_step_error: f64,
    /// Shares of each new error that level, slope and season take up, and the damping of the slope.
    pub(crate) smoothing: Smoothing<f64>,
}

/// Room for the seasonal factors of all candidates, kept from fit to fit.
pub(crate) type Ring = Vec<Lanes>;

impl Shape {
    /// Whether the level has a slope.
    #[must_use]
    pub fn has_trend(self) -> bool {
        self.trend != Trend::None
    }

    /// Error, trend and season in the notation of Hyndman et al. (2008).
    pub(crate) const fn name(self) -> &'static str {
        match (self.form, self.trend) {
            (Form::Plain, Trend::None) => "ANN",
            (Form::Plain, Trend::Additive) => "AAN",
            (Form::Plain, Trend::Damped) => "AAdN",
            (Form::PlainRelative, Trend::None) => "MNN",
            (Form::PlainRelative, Trend::Additive) => "MAN",
            (Form::PlainRelative, Trend::Damped) => "MAdN",
            (Form::AdditiveSeason, Trend::None) => "ANA",
            (Form::AdditiveSeason, Trend::Additive) => "AAA",
            (Form::AdditiveSeason, Trend::Damped) => "AAdA",
            (Form::MultiplicativeSeason, Trend::None) => "MNM",
            (Form::MultiplicativeSeason, Trend::Additive) => "MAM",
            (Form::MultiplicativeSeason, Trend::Damped) => "MAdM",
        }
    }

    /// The smoothing parameters of a fit, as far as the shape has them.
    pub(crate) fn parameters_of(self, fit: &Fit) -> Vec<Parameter> {
        let mut found = vec![Parameter::share("alpha", fit.smoothing.level)];
        if self.has_trend() {
            found.push(Parameter::share("beta", fit.smoothing.slope));
        }
        if self.form.has_season() {
            found.push(Parameter::share("gamma", fit.smoothing.season));
        }
        if self.trend == Trend::Damped {
            found.push(Parameter::share("phi", fit.smoothing.damping));
        }
        found.push(if self.form.is_relative() {
            Parameter::share("relative_one_step_error", fit.one_step_error)
        } else {
            Parameter::amount("one_step_error", fit.one_step_error)
        });
        found
    }

    /// The number of smoothing parameters, which are the coordinates of the search.
    #[must_use]
    pub fn parameters(self) -> usize {
        1 + usize::from(self.has_trend())
            + usize::from(self.trend == Trend::Damped)
            + usize::from(self.form.has_season())
    }

    /// Initial states, which the criterion counts although they are not searched.
    fn states(self, season: usize) -> usize {
        let factors = if self.form.has_season() { season.saturating_sub(1) } else { 0 };
        1 + usize::from(self.has_trend()) + factors
    }

    /// Fits the smoothing parameters from the initial states and forecasts.
    ///
    /// `None` where the series is too short for the shape or the forecast is not finite.
    pub(crate) fn fit(
        self,
        values: &[f64],
        season: usize,
        horizon: usize,
        initial: &InitialState,
        ring: &mut Ring,
        arch: pulp::Arch,
    ) -> Option<Fit> {
        if !self.fits(values.len(), season) {
            return None;
        }
        let (coordinates, _) = self.coordinates(season);
        let (start, factors) = (initial.level_and_slope(self.has_trend()), initial.factors.as_slice());
        let kept = arch.dispatch(Search { shape: self, values, coordinates, start, factors, ring })?;
        self.fit_of(&kept, values.len(), season, horizon)
    }

    /// Whether `length` values are enough for the shape.
    pub(crate) fn fits(self, length: usize, season: usize) -> bool {
        length > self.parameters() + self.states(season) + 2
    }

    /// The fit with what the search kept after `length` values; `None` where the forecast is not finite.
    pub(crate) fn fit_of(self, kept: &Kept, length: usize, season: usize, horizon: usize) -> Option<Fit> {
        let forecast = kept.forecast(self, horizon, length);
        let (n, k) = (length as f64, (self.parameters() + self.states(season) + 1) as f64);
        let aicc = kept.minus_two_log_likelihood + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(0.1);
        let one_step_error = (kept.squared / n).sqrt();
        let finite = aicc.is_finite() && forecast.iter().all(|v| v.is_finite());
        finite.then_some(Fit { forecast, aicc, one_step_error, smoothing: kept.smoothing })
    }

    /// Order of the coordinates: level, trend, season, damping, as far as the shape has them.
    pub(crate) fn coordinates(self, season: usize) -> ([Coordinate; MOST], usize) {
        let level_start = if self.form.has_season() && season > 4 { 0.15 } else { 0.3 };
        let smoothing = |start| Coordinate { start, low: 1e-3, high: 0.999 };
        let mut coordinates = [Coordinate::default(); MOST];
        let mut count = 0;
        let mut add = |coordinate| {
            coordinates[count] = coordinate;
            count += 1;
        };
        add(smoothing(level_start));
        if self.has_trend() {
            add(smoothing(0.1));
        }
        if self.form.has_season() {
            add(smoothing(0.1));
        }
        if self.trend == Trend::Damped {
            add(Coordinate { start: 0.95, low: 0.8, high: 0.98 });
        }
        (coordinates, count)
    }

    /// The trend's parameter is a share of the level's, the season's of what the level's leaves.
    #[inline(always)]
    fn smoothing(self, candidates: &[Lanes; MOST]) -> Smoothing<Lanes> {
        let mut rest = candidates.iter();
        let mut next = |present: bool, absent: f64| match rest.next() {
            Some(lanes) if present => *lanes,
            _ => Lanes::splat(absent),
        };
        let level = next(true, 0.0);
        let mut slope = Lanes::ZERO;
        if self.has_trend() {
            slope = next(true, 0.0);
            for (slope, level) in slope.0.iter_mut().zip(&level.0) {
                *slope *= level;
            }
        }
        let mut season = Lanes::ZERO;
        if self.form.has_season() {
            season = next(true, 0.0);
            for (season, level) in season.0.iter_mut().zip(&level.0) {
                *season *= 1.0 - level;
            }
        }
        let damping = match self.trend {
            Trend::None => Lanes::ZERO,
            Trend::Additive => Lanes::splat(1.0),
            Trend::Damped => next(true, 1.0),
        };
        Smoothing { level, slope, season, damping }
    }
}

/// The search for the smoothing parameters of a shape.
pub(crate) struct Search<'a> {
    pub(crate) shape: Shape,
    pub(crate) values: &'a [f64],
    /// As many as the shape has parameters are searched.
    pub(crate) coordinates: [Coordinate; MOST],
    /// Level and slope before the first value.
    pub(crate) start: (f64, f64),
    /// Seasonal factors before the first value.
    pub(crate) factors: &'a [f64],
    pub(crate) ring: &'a mut Ring,
}

impl WithSimd for Search<'_> {
    type Output = Option<Kept>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<Kept> {
        self.ring.resize(self.factors.len(), Lanes::ZERO);
        let mut run = Run {
            simd,
            shape: self.shape,
            values: self.values,
            start: self.start,
            factors: self.factors,
            ring: self.ring,
            smoothing: Smoothing {
                level: Lanes::ZERO,
                slope: Lanes::ZERO,
                season: Lanes::ZERO,
                damping: Lanes::ZERO,
            },
            outcome: Outcome::ZERO,
            kept: None,
        };
        zoom(&self.coordinates[..self.shape.parameters()], &mut run);
        run.kept
    }
}

struct Run<'a, S> {
    simd: S,
    shape: Shape,
    values: &'a [f64],
    start: (f64, f64),
    factors: &'a [f64],
    ring: &'a mut [Lanes],
    smoothing: Smoothing<Lanes>,
    outcome: Outcome,
    kept: Option<Kept>,
}

impl<S: Simd> Objective for Run<'_, S> {
    #[inline(always)]
    fn evaluate(&mut self, candidates: &[Lanes; MOST]) -> Lanes {
        for (row, factor) in self.ring.iter_mut().zip(self.factors) {
            *row = Lanes::splat(*factor);
        }
        self.smoothing = self.shape.smoothing(candidates);
        macro_rules! run {
            ($form:ident, $trend:literal) => {
                pass::<S, { passes::$form }, $trend>(
                    self.simd,
                    self.values,
                    self.start,
                    &self.smoothing,
                    self.ring,
                    &mut self.outcome,
                )
            };
        }
        match (self.shape.form, self.shape.has_trend()) {
            (Form::Plain, false) => run!(PLAIN, false),
            (Form::Plain, true) => run!(PLAIN, true),
            (Form::PlainRelative, false) => run!(PLAIN_RELATIVE, false),
            (Form::PlainRelative, true) => run!(PLAIN_RELATIVE, true),
            (Form::AdditiveSeason, false) => run!(ADDITIVE_SEASON, false),
            (Form::AdditiveSeason, true) => run!(ADDITIVE_SEASON, true),
            (Form::MultiplicativeSeason, false) => run!(MULTIPLICATIVE_SEASON, false),
            (Form::MultiplicativeSeason, true) => run!(MULTIPLICATIVE_SEASON, true),
        }
        self.outcome.ranks(self.shape.form.is_relative(), self.values.len() as f64)
    }

    #[inline(always)]
    fn keep(&mut self, lane: usize, _: &[Lanes; MOST]) {
        let kept = self.kept.get_or_insert_default();
        kept.minus_two_log_likelihood = self.outcome.minus_two_log_likelihood(lane, self.values.len() as f64);
        kept.squared = self.outcome.squared.0[lane];
        kept.level = self.outcome.level.0[lane];
        kept.slope = self.outcome.slope.0[lane];
        kept.smoothing = self.smoothing.lane(lane);
        kept.factors.clear();
        kept.factors.extend(self.ring.iter().map(|row| row.0[lane]));
    }
}

/// The best candidate at the end of the series.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    pub(crate) minus_two_log_likelihood: f64,
    pub(crate) squared: f64,
    pub(crate) level: f64,
    pub(crate) slope: f64,
    pub(crate) smoothing: Smoothing<f64>,
    pub(crate) factors: Vec<f64>,
}

impl Kept {
    /// Forecasts after `seen` values.
    fn forecast(&self, shape: Shape, horizon: usize, seen: usize) -> Vec<f64> {
        let damping = self.smoothing.damping;
        let mut weight = damping;
        let mut reach = 0.0;
        (0..horizon)
            .map(|step| {
                reach += weight;
                weight *= damping;
                let base = self.level + if shape.has_trend() { reach * self.slope } else { 0.0 };
                match shape.form {
                    Form::Plain | Form::PlainRelative => base,
                    Form::AdditiveSeason => base + self.factors[(seen + step) % self.factors.len()],
                    Form::MultiplicativeSeason => base * self.factors[(seen + step) % self.factors.len()],
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::centred_average::CentredAverage;
    use super::*;

    fn fit(shape: Shape, values: &[f64], season: usize, horizon: usize) -> Option<Fit> {
        let initial = InitialState::new(values, season, &CentredAverage::new(values, season), shape.form);
        shape.fit(values, season, horizon, &initial, &mut Ring::new(), pulp::Arch::new())
    }

    fn check(form: Form, trend: Trend, values: &[f64], season: usize, expected: &[f64], tolerance: f64) {
        let fit =
            fit(Shape { form, trend }, values, season, expected.len()).expect("the series is long enough");
        for (forecast, expected) in fit.forecast.iter().zip(expected) {
            assert!((forecast - expected).abs() < tolerance, "{:?}", fit.forecast);
        }
    }

    #[test]
    fn each_component_is_carried_forward() {
        let flat = vec![5.0; 20];
        check(Form::Plain, Trend::None, &flat, 1, &[5.0; 3], 1e-9);
        check(Form::PlainRelative, Trend::None, &flat, 1, &[5.0; 3], 1e-9);
        let line: Vec<f64> = (0..30_u32).map(|t| 10.0 + 3.0 * f64::from(t)).collect();
        check(Form::Plain, Trend::Additive, &line, 1, &[100.0, 103.0, 106.0], 0.01);
        check(Form::PlainRelative, Trend::Additive, &line, 1, &[100.0, 103.0, 106.0], 0.01);
        let pattern = [1.0, 2.0, 4.0, 1.0];
        let wave: Vec<f64> = (0..32_u32).map(|t| 10.0 + pattern[(t % 4) as usize]).collect();
        check(Form::AdditiveSeason, Trend::None, &wave, 4, &[11.0, 12.0, 14.0, 11.0], 0.01);
        let times: Vec<f64> = (0..32_u32).map(|t| 10.0 * pattern[(t % 4) as usize]).collect();
        check(Form::MultiplicativeSeason, Trend::None, &times, 4, &[10.0, 20.0, 40.0, 10.0], 0.01);
    }

    #[test]
    fn a_damped_line_levels_off() {
        let line: Vec<f64> = (0..30_u32).map(|t| 10.0 + 3.0 * f64::from(t)).collect();
        let shape = Shape { form: Form::Plain, trend: Trend::Damped };
        let fit = fit(shape, &line, 1, 50).expect("the series is long enough");
        let steps: Vec<f64> = fit.forecast.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(steps.windows(2).all(|w| w[1] < w[0]) && steps[48] > 0.0, "{steps:?}");
    }

    #[test]
    fn too_short_a_series_is_not_fitted() {
        let plain = Shape { form: Form::Plain, trend: Trend::None };
        assert!(fit(plain, &[1.0; 4], 1, 1).is_none());
        assert!(fit(plain, &[1.0; 5], 1, 1).is_some());
        let seasonal = Shape { form: Form::AdditiveSeason, trend: Trend::Additive };
        assert!(fit(seasonal, &[1.0; 18], 12, 1).is_none());
    }

    #[test]
    fn the_criterion_prefers_the_right_shape() {
        let line: Vec<f64> =
            (0..40_u32).map(|t| 10.0 + 3.0 * f64::from(t) + f64::from(t * 37 % 11) * 0.1).collect();
        let aicc = |trend| {
            fit(Shape { form: Form::Plain, trend }, &line, 1, 1).expect("the series is long enough").aicc
        };
        assert!(aicc(Trend::Additive) < aicc(Trend::None));
    }
}
