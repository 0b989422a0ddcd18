//! Why a forecast is what it is: the members' forecasts, what was fitted, and what was taken out and put back.

use super::adjustments::{Adjustments, Factors, quotient};
use super::analysis::Analysis;
use super::auto::{MEMBERS, votes};
use super::exponential_smoothing::Ring;
use super::model::Model;
use super::parameter::Parameter;
use super::request::{Forecaster, Here, Request};
use super::scale::power_of_two_scale;
use super::seasonal_adjustment::SeasonalEffect;
use super::series::{Basis, Forecast, SeriesError, SeriesRef};

/// A forecast and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The forecast, to the bit.
    pub forecast: Forecast,
    /// Those whose votes made the forecast; none for a constant and for a single value, which are only repeated.
    pub members: Vec<Member>,
    /// What the season does to each step, as the members `dot` and `smedian` estimate it.
    pub season: Option<SeasonalEffect>,
    /// What growth that goes on does to each step, relative to the last value.
    pub growth: Option<Vec<f64>>,
    /// What the moving holiday does to each step, relative to the usual.
    pub holiday: Option<Vec<f64>>,
}

/// A member's part in a forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Which one.
    pub model: Model,
    /// How often it counts.
    pub votes: usize,
    /// Its own forecast at each step, in the unit of the series.
    pub forecast: Vec<f64>,
    /// What was fitted. Amounts are those of the series without growth and holiday.
    pub parameters: Vec<Parameter>,
}

/// [`forecast_adjusted`](super::forecast_adjusted) with its parts. The cost is that of two forecasts.
///
/// # Errors
/// When `values` is empty or holds a value that is not finite.
pub fn explain(
    values: &[f64],
    season: usize,
    horizon: usize,
    model: Model,
    adjustments: &Adjustments,
) -> Result<Explanation, SeriesError> {
    let series = SeriesRef { values, season, horizon };
    explain_by(&Request { series, adjustments: *adjustments, model }, &mut Here)
}

/// [`explain`] of `whole`, whose forecast, as a whole, is by `forecaster`; its parts are worked out here.
///
/// # Errors
/// When there are no values or one is not finite.
pub fn explain_by(whole: &Request<'_>, forecaster: &mut dyn Forecaster) -> Result<Explanation, SeriesError> {
    let Request { series: SeriesRef { values, season, horizon }, adjustments, model } = *whole;
    let forecast = forecaster.forecast(whole)?;
    let factors = Factors::estimate(values, season, horizon, &adjustments);
    let product = factors.product(values.len() + horizon);
    let (known, ahead) = product.split_at(values.len());
    let of_steps = |all: Option<Vec<f64>>| all.map(|all| all[values.len()..].to_vec());
    let mut explanation = Explanation {
        forecast,
        members: Vec::new(),
        season: None,
        growth: of_steps(factors.growth),
        holiday: of_steps(factors.holiday),
    };
    if matches!(explanation.forecast.basis, Basis::Constant | Basis::SingleValue) {
        return Ok(explanation);
    }
    let left = quotient(values, known);
    let scale = power_of_two_scale(&left);
    let scaled: Vec<f64> = left.iter().map(|value| value / scale).collect();
    let season = season.clamp(1, values.len() + 1);
    let mut ring = Ring::new();
    let mut analysis = Analysis::new(&scaled, season, horizon, &mut ring, pulp::Arch::new());
    let counted: Vec<(Model, usize)> = match model {
        Model::Auto => MEMBERS.iter().map(|member| (*member, votes(*member, season))).collect(),
        alone => vec![(alone, 1)],
    };
    for (member, votes) in counted {
        let path = member.point_forecast(&mut analysis);
        let parameters = member.parameters(&mut analysis);
        explanation.members.push(Member {
            model: member,
            votes,
            forecast: back(path, scale, ahead),
            parameters: parameters.into_iter().map(|parameter| parameter.rescaled(scale)).collect(),
        });
    }
    explanation.season = Some(match analysis.adjustment().effect(horizon) {
        SeasonalEffect::Factors(factors) => SeasonalEffect::Factors(factors),
        SeasonalEffect::Amounts(amounts) => SeasonalEffect::Amounts(back(amounts, scale, ahead)),
    });
    Ok(explanation)
}

/// Amounts of the scaled series without its factors, in the unit of the series.
fn back(amounts: Vec<f64>, scale: f64, factors: &[f64]) -> Vec<f64> {
    let in_unit = |(amount, factor): (f64, &f64)| {
        let scaled = (amount * scale).clamp(-f64::MAX, f64::MAX);
        (scaled * factor).clamp(-f64::MAX, f64::MAX)
    };
    amounts.into_iter().zip(factors).map(in_unit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::adjustments::forecast_adjusted;
    use super::super::ballot::{Ballot, Rule};
    use super::super::series_strategy::values;
    use super::*;

    fn of(values: &[f64], season: usize, model: Model) -> Explanation {
        explain(values, season, 6, model, &Adjustments::none()).expect("finite values")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_votes_make_the_forecast(values in values(80), season in 1_usize..14) {
            let found = of(&values, season, Model::Auto);
            let season = season.min(values.len() + 1);
            let mut ballot = Ballot::of(&values, season);
            for (step, forecast) in found.forecast.steps.iter().enumerate() {
                // What is near the median is smoothed over the steps.
                if found.members.is_empty() || ballot.rule == Rule::NearMedian {
                    continue;
                }
                let votes = || {
                    found.members.iter().flat_map(|member| std::iter::repeat_n(member.forecast[step], member.votes))
                };
                prop_assert!(votes().all(|vote| vote.is_finite()));
                let middle = ballot.count(votes()).centre;
                // The two in the middle are weighed before or after scaling back, which differs at the largest doubles.
                prop_assert!((middle - forecast.mean).abs() <= 1e-9 * forecast.mean.abs() || forecast.mean.abs() > 1e300);
            }
            for parameter in found.members.iter().flat_map(|member| &member.parameters) {
                prop_assert!(!parameter.value.is_nan(), "{parameter:?}");
            }
        }
    }

    #[test]
    fn the_forecast_is_the_same_to_the_bit() {
        let values: Vec<f64> = (0..80_u32).map(|t| 100.0 + f64::from(t * 31 % 17 + t % 12 * 9 + t)).collect();
        let share: Vec<f64> = (0..86_u32)
            .map(|t| match (t % 12, t / 12 % 3) {
                (0, 0) | (1, 1) => 1.0,
                (0 | 1, 2) => 0.5,
                _ => 0.0,
            })
            .collect();
        let adjustments = Adjustments { drift: 0.5, holiday: Some(&share) };
        for model in Model::ALL {
            let forecast = forecast_adjusted(&values, 12, 6, model, &adjustments).expect("finite values");
            let found = explain(&values, 12, 6, model, &adjustments).expect("finite values");
            assert_eq!(found.forecast, forecast);
            if model != Model::Auto {
                for (path, step) in found.members[0].forecast.iter().zip(&forecast.steps) {
                    assert!((path / step.mean - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn weights_add_up_and_parameters_have_their_unit() {
        let values: Vec<f64> =
            (0..60_u32).map(|t| 1e9 * (100.0 + f64::from(t * 31 % 17 + t % 4 * 9))).collect();
        let found = of(&values, 4, Model::Auto);
        let members: Vec<(Model, usize)> =
            found.members.iter().map(|member| (member.model, member.votes)).collect();
        assert_eq!(members, MEMBERS.map(|member| (member, if member == Model::Snaive { 3 } else { 2 })));
        let all = |model: Model, name: &str| -> Vec<f64> {
            let member = found.members.iter().find(|member| member.model == model).expect("a member");
            member.parameters.iter().filter(|p| p.name == name).map(|p| p.value).collect()
        };
        assert!((all(Model::Ets, "weight").iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(all(Model::Ets, "alpha").iter().all(|alpha| (0.0..=1.0).contains(alpha)));
        let level = all(Model::Smedian, "level")[0];
        assert!((1e11..1.4e11).contains(&level), "{level}");
        assert!((all(Model::Dot, "level")[0] / level - 1.0).abs() < 0.3);
        let Some(SeasonalEffect::Factors(factors)) = found.season else { panic!("a level above zero") };
        assert!(factors[0] < 1.0 && factors[3] > 1.0, "{factors:?}");
    }

    #[test]
    fn what_is_repeated_has_no_members() {
        assert!(of(&[4.0; 20], 4, Model::Auto).members.is_empty());
        assert!(of(&[4.0], 4, Model::Auto).members.is_empty());
        let error = explain(&[], 4, 6, Model::Auto, &Adjustments::none());
        assert_eq!(error, Err(SeriesError::Empty));
    }

    #[test]
    fn a_season_around_zero_is_told_in_amounts() {
        let values: Vec<f64> =
            (0..40_u32).map(|t| f64::from(t % 4) - 1.6 + f64::from(t * 7 % 3) * 0.1).collect();
        let Some(SeasonalEffect::Amounts(amounts)) = of(&values, 4, Model::Smedian).season else {
            panic!("no level above zero")
        };
        assert!((amounts[3] - 1.5).abs() < 0.3, "{amounts:?}");
    }

    #[test]
    fn the_one_step_error_is_in_the_unit_of_the_series() {
        let error = |unit: f64| {
            let values: Vec<f64> = (0..40_u32).map(|t| unit * f64::from(100 + t * t * 31 % 17)).collect();
            let found = of(&values, 1, Model::Hw);
            let parameter = found.members[0].parameters.iter().find(|p| p.name == "one_step_error");
            parameter.expect("holt-winters has additive errors").value
        };
        assert!(error(1.0) > 1.0 && error(1.0) < 17.0, "{}", error(1.0));
        assert!((error(1000.0) / error(1.0) / 1000.0 - 1.0).abs() < 1e-9);
    }
}
