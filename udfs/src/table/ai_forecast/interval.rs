//! Bounds at any confidence level, from those at 80 % and 95 %.

use datafusion::logical_expr::{Expr, lit};
use tithe_compute::random::normal_quantile;

/// The levels that `forecast` gives bounds at.
const NEAR: f64 = 0.80;
const FAR: f64 = 0.95;

/// The bound at `level` between the point forecast `mean` and the bounds `near` and `far` on one side of it.
///
/// The distance from the mean is a piecewise linear function of the standard normal quantile of the level: through
/// 0, the distances at 80 % and 95 %, and beyond 95 % in proportion to the quantile. 80 % and 95 % are exact.
pub(super) fn bound(mean: Expr, near: Expr, far: Expr, level: f64) -> Expr {
    let score = |level: f64| normal_quantile(0.5 + 0.5 * level);
    if level == NEAR {
        return near;
    }
    if level == FAR {
        return far;
    }
    let at = score(level);
    let (of_near, of_far) = if level < NEAR {
        (at / score(NEAR), 0.0)
    } else if level < FAR {
        let share = (at - score(NEAR)) / (score(FAR) - score(NEAR));
        (1.0 - share, share)
    } else {
        (0.0, at / score(FAR))
    };
    mean.clone() + (near - mean.clone()) * lit(of_near) + (far - mean) * lit(of_far)
}
