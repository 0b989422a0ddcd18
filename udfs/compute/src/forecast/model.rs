//! The models by name.

use super::analysis::Analysis;
use super::parameter::Parameter;
use super::{ar, auto, dot, ets, hw, smedian, snaive};

/// What makes the point forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// Median of the six others at every step; `Dot` and `Ar` count twice in a series without season. In a season of up to
    /// six `Snaive` counts more, and the forecast lies a little beyond the median, away from zero. Of hours, `Hw` does not
    /// count and `Ar` counts twice.
    Auto,
    /// The last season again.
    Snaive,
    /// Dynamic Optimised Theta on the seasonally adjusted series.
    Dot,
    /// Weighted average of exponential smoothing models.
    Ets,
    /// Additive Holt–Winters.
    Hw,
    /// Autoregression after differencing by rule.
    Ar,
    /// Median of the last year with the season put back.
    Smedian,
}

impl Model {
    /// Every model, the default first.
    pub const ALL: [Self; 7] =
        [Self::Auto, Self::Snaive, Self::Dot, Self::Ets, Self::Hw, Self::Ar, Self::Smedian];

    /// The name users write.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Snaive => "snaive",
            Self::Dot => "dot",
            Self::Ets => "ets",
            Self::Hw => "hw",
            Self::Ar => "ar",
            Self::Smedian => "smedian",
        }
    }

    /// The model of that name, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Auto => 0,
            Self::Snaive => 1,
            Self::Dot => 2,
            Self::Ets => 3,
            Self::Hw => 4,
            Self::Ar => 5,
            Self::Smedian => 6,
        }
    }

    /// The values after the series; empty for no values.
    pub(crate) fn point_forecast(self, analysis: &mut Analysis<'_>) -> Vec<f64> {
        let (values, season, horizon) = (analysis.values, analysis.season, analysis.horizon);
        match self {
            Self::Auto => auto::auto(analysis).forecast,
            Self::Snaive => snaive::snaive(values, season, horizon),
            Self::Dot => dot::dot(analysis),
            Self::Ets => ets::ets(analysis),
            Self::Hw => hw::hw(analysis),
            Self::Ar => ar::ar(values, season, horizon),
            Self::Smedian => smedian::smedian(analysis.adjustment(), season, horizon),
        }
    }

    /// What was fitted to the series; `auto` has its members' parameters instead of its own.
    pub(crate) fn parameters(self, analysis: &mut Analysis<'_>) -> Vec<Parameter> {
        let (values, season) = (analysis.values, analysis.season);
        match self {
            Self::Auto | Self::Snaive => Vec::new(),
            Self::Dot => dot::parameters(analysis),
            Self::Ets => ets::parameters(analysis),
            Self::Hw => hw::parameters(analysis),
            Self::Ar => ar::parameters(values, season),
            Self::Smedian => {
                vec![Parameter::amount("level", smedian::level(analysis.adjustment(), season))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_models() {
        for (index, model) in Model::ALL.into_iter().enumerate() {
            assert_eq!(model.index(), index);
            assert_eq!(Model::from_name(model.name()), Some(model));
            assert_eq!(Model::from_name(&format!(" {} ", model.name().to_uppercase())), Some(model));
        }
        assert_eq!(Model::from_name("arima"), None);
    }
}
