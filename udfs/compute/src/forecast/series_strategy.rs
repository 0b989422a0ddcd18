//! Awkward series for the tests.

use proptest::prelude::*;

/// One to `longest` values: ordinary ones, zeros, negative, constant and huge ones.
pub(crate) fn values(longest: usize) -> impl Strategy<Value = Vec<f64>> {
    let ordinary = prop::collection::vec(-10.0..10.0_f64, 1..longest);
    let positive = prop::collection::vec(0.1..10.0_f64, 1..longest);
    let awkward = prop_oneof![
        3 => -1e3..1e3_f64,
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 1e300, -1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324]),
    ];
    let constant = (prop::sample::select(vec![0.0, 1.0, -7.5, 1e300]), 1..longest)
        .prop_map(|(value, length)| vec![value; length]);
    prop_oneof![2 => ordinary, 2 => positive, 2 => prop::collection::vec(awkward, 1..longest), 1 => constant]
}
