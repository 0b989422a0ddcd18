//! What `backtest` says of itself.

use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

/// The contract of `backtest`.
pub(crate) static BACKTEST: FunctionDoc = FunctionDoc {
    name: "backtest",
    kind: FunctionKind::Aggregate,
    section: "Forecasting",
    summary: "Measures how good the forecasts of every group's series would have been in the past.",
    description: "Takes a series as `forecast` does and forecasts its last values from origins in the past, each time \
        learning from the values before the origin alone (calendar and drift included). Origins are `horizon` periods \
        apart, and the last one leaves exactly `horizon` values; each needs at least a season and two values, and four \
        values, before it. With y for what came and f for its forecast, over all values forecast: smape is the mean of \
        200 |y - f| / (|y| + |f|), percent, 0 where both are 0; mase is the mean over the folds of the mean |y - f| in \
        units of the mean absolute seasonal difference of what the fold learnt from; wape is sum |y - f| / sum |y| and \
        bias is sum (f - y) / sum |y|, percent (bias above 0: forecasts too high); coverage80 and coverage95 are \
        the shares of values within the intervals, 0 to 1; relative_to_seasonal_naive is sum |y - f| over the same sum \
        for the forecast that repeats the last season, below 1 being better. worst_fold is the first period of the \
        fold with the largest sum of |y - f|, the latest of equals. shock is true if in some fold half of the values \
        lie beyond the 95 % interval on the same side: when it is true for many groups with the same worst_fold, a \
        common shock hit them, which no interval foresees. \
        `status` is `ok` or says what a reader must know: `gaps_filled:n`, `fewer_folds:n` (there was history for n \
        folds only), `calendar_unused`; without any measure: `too_short` (for a single fold), `no_data`, \
        `duplicate_period`, `non_finite`, `irregular`, `gaps:n`, as for `forecast`.",
    syntax: "backtest(period, value, horizon [, folds => 3] [, model => 'auto'] [, season => n] [, gaps => 'interpolate'] \
        [, calendar => 'none'] [, drift => false])",
    arguments: &[
        ArgumentDoc {
            name: "period",
            sql_type: "DATE, TIMESTAMP or integer",
            description: "Start (or end) of the period that the value belongs to.",
        },
        ArgumentDoc {
            name: "value",
            sql_type: "any number",
            description: "Revenue of the period, in any unit; decimals and integers become the nearest double.",
        },
        ArgumentDoc {
            name: "horizon",
            sql_type: "BIGINT constant",
            description: "How many periods each origin forecasts, 1 to 1000.",
        },
        ArgumentDoc {
            name: "folds",
            sql_type: "BIGINT constant",
            description: "How many origins, 1 to 100; 3 by default.",
        },
        ArgumentDoc {
            name: "model",
            sql_type: "VARCHAR constant",
            description: "'auto' (default: a vote of all others), 'snaive', 'dot', 'ets', 'hw', 'ar' or 'smedian'.",
        },
        ArgumentDoc {
            name: "season",
            sql_type: "BIGINT constant",
            description: "Values in a season, 1 (none) to 1000. Default: as for `forecast`.",
        },
        ArgumentDoc {
            name: "gaps",
            sql_type: "VARCHAR constant",
            description: "What a missing period counts as: 'interpolate' (default), 'zero', 'previous', 'null' (no measure for \
                the group) or 'error' (the query fails).",
        },
        ArgumentDoc {
            name: "calendar",
            sql_type: "VARCHAR constant",
            description: "'none' (default) or 'lunar_new_year', as for `forecast`.",
        },
        ArgumentDoc {
            name: "drift",
            sql_type: "BOOLEAN or DOUBLE constant",
            description: "The share of the past growth that goes on, as for `forecast`; false by default.",
        },
    ],
    returns: "STRUCT(folds BIGINT, smape, mase, wape, bias, coverage80, coverage95, relative_to_seasonal_naive DOUBLE, \
        worst_fold (the type of `period`), shock BOOLEAN, status VARCHAR). A ratio to zero is NULL.",
    nulls: "Rows where `period` or `value` is NULL are left out, which makes their period a missing one. A group without \
        rows gives NULL; a group of nothing but such rows gives status `no_data`. NULL for an option means its default.",
    errors: "At planning: `horizon`, `folds` or `season` not a constant in its range, an unknown `model`, `gaps` or \
        `calendar`, a `drift` that is not from 0 to 1, a `period` or `value` of a type that is not taken. Bad data never \
        fails the query (except with gaps => 'error'): see `status`.",
    source: "Makridakis et al. (2020), The M4 competition (smape); Hyndman & Koehler (2006), Another look at measures of \
        forecast accuracy (mase, relative errors); Tashman (2000), Out-of-sample tests of forecasting accuracy (rolling \
        origins).",
    examples: &[Example {
        sql: "SELECT b['folds'] AS folds, round(b['wape'], 1) AS wape, round(b['mase'], 2) AS mase, b['coverage95'] AS coverage95, \
            round(b['relative_to_seasonal_naive'], 2) AS relative, b['worst_fold'] AS worst_fold, b['status'] AS status\n\
            FROM (SELECT backtest(month, receipts, 6) AS b\n      \
            FROM (SELECT make_date(2019 + n / 12, n % 12 + 1, 1) AS month, 200 + 2 * n + 20 * (n % 3) + n * 7 % 11 AS receipts\n            \
            FROM generate_series(0, 71) AS g(n)))",
        result: "
+-------+------+------+------------+----------+------------+--------+
| folds | wape | mase | coverage95 | relative | worst_fold | status |
+-------+------+------+------------+----------+------------+--------+
| 3     | 0.9  | 0.12 | 1.0        | 0.13     | 2024-07-01 | ok     |
+-------+------+------+------------+----------+------------+--------+
",
    }],
};
