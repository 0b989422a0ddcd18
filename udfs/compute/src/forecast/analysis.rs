//! What the members know about one series, worked out once.

use super::centred_average::CentredAverage;
use super::dot::{self, DynamicTheta};
use super::exponential_smoothing::{Fit, Kept, Ring, Shape};
use super::initial_state::InitialState;
use super::seasonal_adjustment::SeasonalAdjustment;
use super::smoothing_pass::Form;

/// A series to forecast, and intermediate results that more than one member uses.
#[derive(Debug)]
pub(crate) struct Analysis<'a> {
    /// Finite and of the order of one.
    pub(crate) values: &'a [f64],
    pub(crate) season: usize,
    pub(crate) horizon: usize,
    /// The instruction set to use; without influence on the results.
    arch: pulp::Arch,
    ring: &'a mut Ring,
    average: Option<CentredAverage>,
    adjustment: Option<SeasonalAdjustment>,
    initial: Vec<(Form, InitialState)>,
    fits: Vec<(Shape, Option<Fit>)>,
    theta: Option<Option<DynamicTheta>>,
}

/// What was worked out of a series before.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) adjustment: Option<SeasonalAdjustment>,
    /// What searches kept.
    pub(crate) kept: Vec<(Shape, Option<Kept>)>,
    pub(crate) theta: Option<DynamicTheta>,
}

impl<'a> Analysis<'a> {
    pub(crate) fn new(
        values: &'a [f64],
        season: usize,
        horizon: usize,
        ring: &'a mut Ring,
        arch: pulp::Arch,
    ) -> Self {
        let (initial, fits) = (Vec::with_capacity(3), Vec::with_capacity(10));
        let (average, adjustment, theta) = (None, None, None);
        Self { values, season, horizon, arch, ring, average, adjustment, initial, fits, theta }
    }

    /// Takes what is known, so that it is not worked out again.
    pub(crate) fn with(mut self, known: Known) -> Self {
        let (length, season, horizon) = (self.values.len(), self.season, self.horizon);
        self.adjustment = known.adjustment;
        self.theta = known.theta.map(Some);
        self.fits.extend(known.kept.into_iter().map(|(shape, kept)| {
            (shape, kept.and_then(|kept| shape.fit_of(&kept, length, season, horizon)))
        }));
        self
    }

    /// The Dynamic Theta model of the seasonally adjusted series; `None` where there is none.
    pub(crate) fn theta(&mut self) -> Option<DynamicTheta> {
        if let Some(theta) = self.theta {
            return theta;
        }
        let arch = self.arch;
        let theta = dot::fit(&self.adjustment().adjusted, arch);
        self.theta = Some(theta);
        theta
    }

    /// The adjustment, for [`Known`].
    pub(crate) fn into_adjustment(self) -> Option<SeasonalAdjustment> {
        self.adjustment
    }

    pub(crate) fn adjustment(&mut self) -> &SeasonalAdjustment {
        let (values, season) = (self.values, self.season);
        let average = self.average.get_or_insert_with(|| CentredAverage::new(values, season));
        self.adjustment.get_or_insert_with(|| SeasonalAdjustment::new(values, season, average))
    }

    /// States before the first value for models of this form.
    pub(crate) fn initial(&mut self, form: Form) -> &InitialState {
        let place = self.initial_state(form);
        &self.initial[place].1
    }

    /// The fit of an exponential smoothing model; `None` where there is none.
    pub(crate) fn fit(&mut self, shape: Shape) -> Option<&Fit> {
        let found = self.fits.iter().position(|(fitted, _)| *fitted == shape);
        let place = found.unwrap_or_else(|| {
            let initial = self.initial_state(shape.form);
            let fit = shape.fit(
                self.values,
                self.season,
                self.horizon,
                &self.initial[initial].1,
                self.ring,
                self.arch,
            );
            self.fits.push((shape, fit));
            self.fits.len() - 1
        });
        self.fits[place].1.as_ref()
    }

    fn initial_state(&mut self, form: Form) -> usize {
        let (values, season) = (self.values, self.season);
        let found = self.initial.iter().position(|(known, _)| *known == form);
        found.unwrap_or_else(|| {
            let average = self.average.get_or_insert_with(|| CentredAverage::new(values, season));
            self.initial.push((form, InitialState::new(values, season, average, form)));
            self.initial.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential_smoothing::Trend;
    use super::*;

    #[test]
    fn a_shape_is_fitted_once() {
        let values: Vec<f64> = (0..40_u32).map(|t| 1.0 + f64::from(t * 31 % 17)).collect();
        let mut ring = Ring::new();
        let mut analysis = Analysis::new(&values, 4, 3, &mut ring, pulp::Arch::new());
        let shape = Shape { form: Form::AdditiveSeason, trend: Trend::Additive };
        let first = analysis.fit(shape).cloned();
        assert!(first.is_some());
        assert_eq!(analysis.fit(shape).cloned(), first);
        assert_eq!(analysis.fits.len(), 1);
    }
}
