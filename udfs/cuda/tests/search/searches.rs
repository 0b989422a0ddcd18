//! Searches for the tests, which no forecast would all ask for.

use proptest::prelude::*;
use proptest::sample::select;
use tithe_compute::forecast::{
    Coordinate, Form, MOST_COORDINATES, Searches, Shape, SmoothingSearch, ThetaSearch, Trend,
};

const FORMS: [Form; 4] = [Form::Plain, Form::PlainRelative, Form::AdditiveSeason, Form::MultiplicativeSeason];
const TRENDS: [Trend; 3] = [Trend::None, Trend::Additive, Trend::Damped];

/// One to `longest` values of any scale: positive ones, of both signs, with zeros, all the same.
pub(crate) fn values(longest: usize) -> impl Strategy<Value = Vec<f64>> {
    let scale = select(vec![5e-324, 1e-300, 1e-12, 1.0, 1.0, 1.0, 1e6, 1e150, 1e300]);
    let kind = prop_oneof![
        3 => Just((0.5..1.5_f64, 0.0)),
        2 => Just((-1.0..1.0, 0.1)),
        1 => Just((0.0..1.0, 0.6)),
        1 => Just((1.0..1.000_000_1, 0.0)),
    ];
    let length = prop_oneof![3 => 1..longest.min(40), 1 => 1..=longest];
    (scale, kind, length).prop_flat_map(|(scale, (range, zeros), length)| {
        let value = prop_oneof![
            1 => Just(0.0),
            1 => Just(-0.0),
            198 => range,
        ];
        let zero = prop::bool::weighted(zeros);
        let values = prop::collection::vec((value, zero), length);
        values.prop_map(move |values| {
            values.into_iter().map(|(value, zero)| if zero { 0.0 } else { scale * value }).collect()
        })
    })
}

/// A coordinate as forecasts have it, or any.
fn coordinate() -> impl Strategy<Value = Coordinate> {
    let any =
        || prop_oneof![4 => -2.0..2.0_f64, 1 => -1e3..1e3_f64, 1 => select(vec![0.0, -0.0, 1.0, 1e-300])];
    prop_oneof![
        3 => Just(Coordinate { start: 0.3, low: 1e-3, high: 0.999 }),
        1 => Just(Coordinate { start: 0.95, low: 0.8, high: 0.98 }),
        2 => (any(), any(), any()).prop_map(|(start, low, high)| Coordinate { start, low, high }),
    ]
}

fn coordinates() -> impl Strategy<Value = [Coordinate; MOST_COORDINATES]> {
    prop::array::uniform4(coordinate())
}

fn add_smoothing(
    searches: &mut Searches,
    shape: Shape,
    series: &[f64],
    factors: &[f64],
    (level, slope): (f64, f64),
    coordinates: [Coordinate; MOST_COORDINATES],
) {
    let (first_value, first_factor) = (searches.values.len(), searches.factors.len());
    searches.values.extend(series);
    searches.factors.extend(factors);
    let (values, factors) = (first_value..searches.values.len(), first_factor..searches.factors.len());
    searches.smoothing.push(SmoothingSearch { shape, values, factors, level, slope, coordinates });
}

fn add_theta(searches: &mut Searches, series: &[f64], lines: &[(f64, f64)], coordinates: [Coordinate; 3]) {
    let (first_value, first_line) = (searches.values.len(), searches.lines.len());
    searches.values.extend(series);
    searches.lines.extend(lines);
    let (values, lines) = (first_value..searches.values.len(), first_line..searches.lines.len());
    searches.theta.push(ThetaSearch { values, lines, coordinates });
}

/// Some searches of every kind, in any order.
pub(crate) fn searches(longest: usize) -> impl Strategy<Value = Searches> {
    let shape =
        (select(FORMS.to_vec()), select(TRENDS.to_vec())).prop_map(|(form, trend)| Shape { form, trend });
    let season = select(vec![1_usize, 4, 12, 52])
        .prop_flat_map(|season| prop::collection::vec(prop_oneof![4 => 0.5..1.5, 1 => -2.0..2.0], season));
    let state = (prop_oneof![3 => Just(1.0), 1 => -2.0..2.0_f64], prop_oneof![Just(0.0), -0.1..0.1_f64]);
    let smoothing = (shape, values(longest), season, state, coordinates());
    let theta = (values(longest), -1.0..1.0_f64, -0.1..0.1_f64, coordinates());
    (prop::collection::vec(smoothing, 1..14), prop::collection::vec(theta, 1..4)).prop_map(
        |(smoothing, theta)| {
            let mut searches = Searches::default();
            for (shape, series, season, (level, slope), coordinates) in smoothing {
                let factors = if shape.form.has_season() { season.as_slice() } else { &[] };
                // Of the scale of the series, but for factors that multiply.
                let scale = series[0];
                let factors: Vec<f64> = match shape.form {
                    Form::AdditiveSeason => factors.iter().map(|factor| (factor - 1.0) * scale).collect(),
                    _ => factors.to_vec(),
                };
                let state = (level * scale, if shape.has_trend() { slope * scale } else { 0.0 });
                add_smoothing(&mut searches, shape, &series, &factors, state, coordinates);
            }
            for (series, intercept, slope, [one, two, three, _]) in theta {
                let lines: Vec<_> =
                    series[1..].iter().map(|value| (intercept * value, slope * value)).collect();
                add_theta(&mut searches, &series, &lines, [one, two, three]);
            }
            searches
        },
    )
}

/// A search of each kernel with a season, of a series of `length` values.
pub(crate) fn seasonal(length: usize, season: usize) -> Searches {
    let mut searches = Searches::default();
    let series: Vec<f64> =
        (0..length).map(|t| 1.0 + (t % season) as f64 / 300.0 + (t * 37 % 11) as f64 / 90.0).collect();
    let unit = |start| Coordinate { start, low: 1e-3, high: 0.999 };
    for (form, factor) in [(Form::AdditiveSeason, 0.01), (Form::MultiplicativeSeason, 1.01)] {
        for trend in TRENDS {
            let slope = if trend == Trend::None { 0.0 } else { 1e-3 };
            let coordinates = [unit(0.3), unit(0.1), unit(0.15), unit(0.95)];
            let factors = vec![factor; season];
            add_smoothing(&mut searches, Shape { form, trend }, &series, &factors, (1.1, slope), coordinates);
        }
    }
    searches
}

/// The searches that one kernel runs.
pub(crate) fn of_kernel(searches: &Searches, kernel: &str) -> Searches {
    let mut searches = searches.clone();
    if kernel == "theta" {
        searches.smoothing.clear();
    } else {
        let name = |shape: Shape| {
            let form = match shape.form {
                Form::Plain => "plain",
                Form::PlainRelative => "plain_relative",
                Form::AdditiveSeason => "additive_season",
                Form::MultiplicativeSeason => "multiplicative_season",
            };
            if shape.has_trend() { format!("{form}_trend") } else { form.to_owned() }
        };
        searches.theta.clear();
        searches.smoothing.retain(|search| name(search.shape) == kernel);
    }
    assert!(!searches.smoothing.is_empty() || !searches.theta.is_empty());
    searches
}

/// The lengths leave every remainder that the kernels' unrolled loops tell apart.
const LENGTHS: [(u32, u32); 4] = [(29, 7), (30, 4), (31, 5), (44, 6)];

/// Searches of every shape whose results depend on every operation.
pub(crate) fn ordinary() -> Searches {
    let mut searches = Searches::default();
    let series = |length: u32, season: u32| -> Vec<f64> {
        let value = |t: u32| f64::from(70 + t + 9 * (t % season) + t * 37 % 11) / 80.0;
        (0..length).map(value).collect()
    };
    let unit = |start| Coordinate { start, low: 1e-3, high: 0.999 };
    // Candidates whose errors differ in their last bits alone.
    let near = |start| Coordinate { start, low: start - 1e-9, high: start + 1e-9 };
    for form in FORMS {
        for trend in TRENDS {
            for (length, season) in LENGTHS {
                let factor = |place: u32| match form {
                    Form::AdditiveSeason => 0.03 * f64::from(place) - 0.1,
                    _ => 0.9 + 0.05 * f64::from(place),
                };
                let count = if form.has_season() { season } else { 0 };
                let factors: Vec<f64> = (0..count).map(factor).collect();
                let shape = Shape { form, trend };
                let slope = if shape.has_trend() { 0.02 } else { 0.0 };
                let wide = [unit(0.3), unit(0.1), unit(0.15), unit(0.95)];
                let narrow = [near(0.3), near(0.1), near(0.15), near(0.95)];
                let series = series(length, season);
                let opposite: Vec<f64> = series.iter().map(|value| -value).collect();
                let mut add = |series: &[f64], level, slope, coordinates| {
                    add_smoothing(&mut searches, shape, series, &factors, (level, slope), coordinates);
                };
                add(&series, 0.9, slope, wide);
                add(&series, 0.9, slope, narrow);
                add(&opposite, -0.9, -slope, wide);
                // Without any error.
                let neutral = vec![if form == Form::AdditiveSeason { 0.0 } else { 1.0 }; factors.len()];
                let flat = vec![0.9; series.len()];
                add_smoothing(&mut searches, shape, &flat, &neutral, (0.9, 0.0), wide);
            }
        }
    }
    // A theta search does not give its squared errors: only many of them show that each counts.
    for (length, season) in (2..50).zip((3..9).cycle()) {
        let series = series(length, season);
        let line = |t: usize| (series[t - 1] * 0.9, 0.3 * series[t] - 0.4);
        let lines: Vec<_> = (1..series.len()).map(line).collect();
        let wide = [
            Coordinate { start: 0.5, low: -0.7, high: 1.7 },
            Coordinate { start: 0.5, low: 0.1, high: 0.99 },
            Coordinate { start: 0.7, low: 0.1, high: 3.0 },
        ];
        add_theta(&mut searches, &series, &lines, wide);
        add_theta(&mut searches, &series, &lines, [near(0.5), near(0.4), near(0.7)]);
    }
    searches
}
