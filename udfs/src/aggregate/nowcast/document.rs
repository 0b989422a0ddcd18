//! What `nowcast` says of itself.

use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

/// The contract of `nowcast`.
pub(crate) static NOWCAST: FunctionDoc = FunctionDoc {
    name: "nowcast",
    kind: FunctionKind::Aggregate,
    section: "Forecasting",
    summary: "Estimates the running period of every group's series from what was received of it so far.",
    description: "Every row is a period: its total in `value`, and in `received` what had been received of it by the same \
        point of the period (the same day, the same number of months) as is now known of the running one. The running \
        period is the one after the last with a total: its row has a NULL for `value`. Two forecasts of it are weighed. \
        `forecast_value` is that of `forecast`, from complete periods alone. `extrapolated_value` is `received` over the \
        share that is usually received by then: the median share of the last season, with the seasonal pattern of the \
        shares. Both are made for up to 24 past periods too, each from the periods before it alone, and `weight`, that \
        of the extrapolation, is the one that least squares give it there, less its standard error, between 0 and 1: the \
        receipts move the forecast only where they would have helped beyond chance. With fewer than six such periods \
        the answer is the plain forecast. The bounds narrow as the past errors did. The answer does not depend on the \
        order of rows, partitions or threads. `status` is `ok`, or says what a reader must know: `no_receipts` (nothing \
        is known of the running period; plain forecast), `short_receipts:n` (n past periods with both forecasts, too few; \
        plain forecast), `received_unused:n` (n receipts are infinite or belong to no period of the series), and the \
        words of `forecast`.",
    syntax: "nowcast(period, value, received [, model => 'auto'] [, season => n] [, gaps => 'interpolate'] \
        [, calendar => 'none'] [, drift => false])",
    arguments: &[
        ArgumentDoc {
            name: "period",
            sql_type: "DATE, TIMESTAMP or integer",
            description: "Start (or end) of the period that the row is of.",
        },
        ArgumentDoc {
            name: "value",
            sql_type: "any number",
            description: "Revenue of the whole period; NULL for the running one.",
        },
        ArgumentDoc {
            name: "received",
            sql_type: "any number",
            description: "Revenue from the start of the period to the point that the running one has reached; NULL where that \
                is not known.",
        },
        ArgumentDoc { name: "model", sql_type: "VARCHAR constant", description: "As for `forecast`." },
        ArgumentDoc { name: "season", sql_type: "BIGINT constant", description: "As for `forecast`." },
        ArgumentDoc {
            name: "gaps",
            sql_type: "VARCHAR constant",
            description: "As for `forecast`, for periods without a total between others; their receipts are not looked at.",
        },
        ArgumentDoc { name: "calendar", sql_type: "VARCHAR constant", description: "As for `forecast`." },
        ArgumentDoc {
            name: "drift",
            sql_type: "BOOLEAN or DOUBLE constant",
            description: "As for `forecast`.",
        },
    ],
    returns: "STRUCT(nowcast_timestamp (the type of `period`), received DOUBLE, nowcast_value, lo80, hi80, lo95, hi95, \
        forecast_value, extrapolated_value, weight DOUBLE, folds BIGINT (past periods that the weight rests on), status \
        VARCHAR); lo95 <= lo80 <= nowcast_value <= hi80 <= hi95.",
    nulls: "A NULL for `value` or `received` is not known; rows where `period` is NULL are left out. A group without rows gives \
        NULL; a group without a total gives status `no_data`. NULL for an option means its default.",
    errors: "At planning: an unknown `model`, `gaps` or `calendar`, a `season` or `drift` out of its range, a `period`, `value` or \
        `received` of a type that is not taken. Bad data never fails the query (except with gaps => 'error'): see \
        `status`.",
    source: "Bates & Granger (1969), The combination of forecasts, for the weights by past errors; `forecast` for the rest.",
    examples: &[Example {
        sql: "SELECT n['nowcast_timestamp'] AS quarter, round(n['forecast_value'], 1) AS forecast, \
            round(n['extrapolated_value'], 1) AS extrapolated, round(n['weight'], 2) AS weight, round(n['nowcast_value'], 1) AS nowcast, \
            round(n['lo95'], 1) AS lo95, round(n['hi95'], 1) AS hi95, n['status'] AS status\n\
            FROM (SELECT nowcast(quarter, CASE WHEN n < 40 THEN total END, total * (0.6 + 0.01 * (n % 3))) AS n\n      \
            FROM (SELECT n, make_date(2015 + n / 4, n % 4 * 3 + 1, 1) AS quarter, 100 + n * 37 % 41 + 10 * (n % 4) AS total\n            \
            FROM generate_series(0, 40) AS g(n)))",
        result: "
+------------+----------+--------------+--------+---------+------+-------+--------+
| quarter    | forecast | extrapolated | weight | nowcast | lo95 | hi95  | status |
+------------+----------+--------------+--------+---------+------+-------+--------+
| 2025-01-01 | 115.8    | 104.9        | 0.95   | 105.4   | 88.7 | 122.1 | ok     |
+------------+----------+--------------+--------+---------+------+-------+--------+
",
    }],
};
