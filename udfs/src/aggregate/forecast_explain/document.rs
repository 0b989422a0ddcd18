//! What `forecast_explain` says of itself.

use crate::aggregate::forecast::FORECAST;
use crate::documentation::{Example, FunctionDoc, FunctionKind};

/// The contract of `forecast_explain`.
pub(crate) static FORECAST_EXPLAIN: FunctionDoc = FunctionDoc {
    name: "forecast_explain",
    kind: FunctionKind::Aggregate,
    section: "Forecasting",
    summary: "Shows why the forecast of every group's series is what it is: members, season, calendar, parameters.",
    description: "Takes what `forecast` takes and makes the same forecast, to the bit. Every entry of `steps` holds \
        the forecast with its bounds, the forecast of each member (NULL for one that was not asked for; under the \
        default model the forecast is their median), and what was put on top of the level: `seasonal_factor` multiplies \
        it (1.2 is a fifth above the usual), or `seasonal_amount` is added where the level is not safely above zero, \
        each as the members dot and smedian estimate it; `calendar_factor` is what the moving holiday does beyond the \
        season, and `growth_factor` what `drift` carries on since the last value, both NULL where they change nothing. \
        `parameters` holds what was fitted, and `votes`, how often a member counts in the median: for ets the weight of \
        every exponential smoothing model that counts, named by error, trend and season as in Hyndman et al. (AAdM is \
        an additive error, a damped trend and a multiplicative season), and its smoothing parameters alpha (level), beta \
        (trend), gamma (season) and phi (damping), and how well it fits, the root mean square \
        of its errors one step ahead (one_step_error; relative_one_step_error where the error is multiplicative, a share of the \
        forecast); for hw the same; for dot alpha, theta and the last level; for ar the \
        differences taken, the coefficients phi1, phi2, … and the mean of the differenced series; for smedian the level \
        that is repeated. Levels are in the unit of `value`, without season, holiday and growth. Constant series and \
        single values are repeated, without members. `status` is that of `forecast`.",
    syntax: "forecast_explain(period, value, horizon [, model => 'auto'] [, season => n] [, gaps => 'interpolate'] \
        [, calendar => 'none'] [, drift => false])",
    arguments: FORECAST.arguments,
    returns: "STRUCT(model VARCHAR, values BIGINT (how many were learnt from, filled ones included), season BIGINT, \
        steps LIST of STRUCT(step BIGINT, forecast_timestamp (the type of `period`), forecast_value, lo80, hi80, lo95, \
        hi95, snaive, dot, ets, hw, ar, smedian, seasonal_factor, seasonal_amount, calendar_factor, growth_factor DOUBLE), \
        parameters LIST of STRUCT(model VARCHAR, component VARCHAR, parameter VARCHAR, value DOUBLE), status VARCHAR).",
    nulls: FORECAST.nulls,
    errors: FORECAST.errors,
    source: FORECAST.source,
    examples: &[
        Example {
            sql: "SELECT step['forecast_timestamp'] AS month, round(step['forecast_value'], 1) AS expected, \
                round(step['snaive'], 1) AS last_year, round(step['dot'], 1) AS dot, round(step['ets'], 1) AS ets, \
                round(step['seasonal_factor'], 3) AS seasonal_factor\n\
                FROM (SELECT unnest(forecast_explain(month, receipts, 3)['steps']) AS step\n      \
                FROM (SELECT make_date(2021 + n / 12, n % 12 + 1, 1) AS month, 100 + n + 20 * (n % 3) AS receipts\n            \
                FROM generate_series(0, 47) AS g(n)))",
            result: "
+------------+----------+-----------+-------+-------+-----------------+
| month      | expected | last_year | dot   | ets   | seasonal_factor |
+------------+----------+-----------+-------+-------+-----------------+
| 2025-01-01 | 146.3    | 136.0     | 143.7 | 148.0 | 0.863           |
| 2025-02-01 | 168.4    | 157.0     | 167.5 | 169.0 | 1.001           |
| 2025-03-01 | 190.6    | 178.0     | 191.1 | 190.0 | 1.136           |
+------------+----------+-----------+-------+-------+-----------------+
",
        },
        Example {
            sql: "SELECT p['model'] AS model, p['component'] AS component, p['parameter'] AS parameter, round(p['value'], 3) AS value\n\
                FROM (SELECT unnest(forecast_explain(month, receipts, 1, model => 'hw')['parameters']) AS p\n      \
                FROM (SELECT make_date(2021 + n / 12, n % 12 + 1, 1) AS month, 100 + n + 20 * (n % 3) AS receipts\n            \
                FROM generate_series(0, 47) AS g(n)))",
            result: "
+-------+-----------+----------------+-------+
| model | component | parameter      | value |
+-------+-----------+----------------+-------+
| hw    |           | votes          | 1.0   |
| hw    | AAA       | alpha          | 0.15  |
| hw    | AAA       | beta           | 0.015 |
| hw    | AAA       | gamma          | 0.085 |
| hw    | AAA       | one_step_error | 0.0   |
+-------+-----------+----------------+-------+
",
        },
    ],
};
