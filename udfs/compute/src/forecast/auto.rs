//! Model `auto`: the median of the members, step by step.

use super::analysis::Analysis;
use super::model::Model;
use super::statistics::median;

/// The members, in the order of the documentation.
pub(crate) const MEMBERS: [Model; 6] =
    [Model::Snaive, Model::Dot, Model::Ets, Model::Hw, Model::Ar, Model::Smedian];

/// Point forecast and how far the members are apart.
#[derive(Debug, Clone)]
pub(crate) struct Consensus {
    /// Median of the members at each step.
    pub(crate) forecast: Vec<f64>,
    /// Distance between the highest and the lowest member at each step.
    pub(crate) spread: Vec<f64>,
}

/// Runs every member. Choosing the best by a holdout is worse than the median of all.
pub(crate) fn auto(analysis: &mut Analysis<'_>) -> Consensus {
    let horizon = analysis.horizon;
    let paths = MEMBERS.map(|member| member.point_forecast(analysis));
    let mut consensus =
        Consensus { forecast: Vec::with_capacity(horizon), spread: Vec::with_capacity(horizon) };
    let mut at_step = Vec::with_capacity(paths.len());
    for step in 0..horizon {
        at_step.clear();
        at_step.extend(paths.iter().filter_map(|path| path.get(step)));
        let centre = median(&mut at_step).unwrap_or(0.0);
        let lowest = at_step.first().copied().unwrap_or(centre);
        let highest = at_step.last().copied().unwrap_or(centre);
        consensus.forecast.push(centre);
        consensus.spread.push(highest - lowest);
    }
    consensus
}

#[cfg(test)]
mod tests {
    use super::super::exponential_smoothing::Ring;
    use super::*;

    fn alone(member: Model, values: &[f64]) -> Vec<f64> {
        member.point_forecast(&mut Analysis::new(values, 4, 3, &mut Ring::new(), pulp::Arch::new()))
    }

    #[test]
    fn is_the_median_of_its_members() {
        let values: Vec<f64> =
            (0..40_u32).map(|t| 100.0 + f64::from(t * 31 % 17) + f64::from(t % 4) * 5.0).collect();
        let mut ring = Ring::new();
        let consensus = auto(&mut Analysis::new(&values, 4, 3, &mut ring, pulp::Arch::new()));
        for (step, forecast) in consensus.forecast.iter().enumerate() {
            let mut members: Vec<f64> = MEMBERS.iter().map(|m| alone(*m, &values)[step]).collect();
            members.sort_by(f64::total_cmp);
            assert_eq!(*forecast, 0.5 * (members[2] + members[3]));
            assert_eq!(consensus.spread[step], members[5] - members[0]);
        }
    }
}
