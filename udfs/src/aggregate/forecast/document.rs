//! What `forecast` says of itself.

use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

/// The contract of `forecast`.
pub(crate) static FORECAST: FunctionDoc = FunctionDoc {
    name: "forecast",
    kind: FunctionKind::Aggregate,
    section: "Forecasting",
    summary: "Forecasts the next values of every group's series, with 80 % and 95 % intervals.",
    description: "Takes the rows of a group, in any order, as one series and gives the next `horizon` values. \
        The distance between periods is recognised from the data: months (every 1, 2, 3, 6 or 12, on the same day or \
        the last of the month), weeks, days, hours, or a fixed step of integers; a series that is on no grid gets no \
        forecast. The default model is a vote, step by step, of six: seasonal naive, Dynamic Optimised Theta, an \
        average of exponential smoothing models, Holt-Winters, an autoregression, and the median of the last \
        year. It is their median for years, hours and series that touch zero, a little beyond it for quarters and \
        two-month periods, where flat members lag behind growth, and near it and smoothed for months and weeks. Negative and zero values are taken. The intervals come from errors measured on real tax series, in units \
        of the series' own error, and for monthly series narrower where none of the past moved the series far; they do not \
        foresee a shock that hits all series at once. The answer does not \
        depend on the order of rows, partitions or threads, nor on the setting `tithe.compute.backend`, which lets a GPU \
        search the parameters (not yet run on one), and `unnest` turns the list into rows. \
        `status` is `ok`, or says what a reader must know (several, separated by `;`). With a forecast: \
        `gaps_filled:n` (n missing periods were filled as `gaps` says), `short_history` (fewer than two \
        seasons and two values, or fewer than eight values: wider intervals), `constant` (all values are the same), \
        `too_short` (a single value, repeated), `calendar_unused` (the periods are not months from 1970 to 2050), `overflow` (a bound or value was cut to the largest double). Without \
        (value, bounds and model are NULL): `no_data` (all rows are NULL), `duplicate_period` (a period \
        occurs twice), `non_finite` (a value is infinite or NaN), `irregular` (the periods are on no grid, or three quarters of its places are empty; of months, beyond a century), `gaps:n` \
        (n periods are missing and `gaps` is 'null').",
    syntax: "forecast(period, value, horizon [, model => 'auto'] [, season => n] [, gaps => 'interpolate'] [, calendar => 'none'] \
        [, drift => false])",
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
            description: "How many periods ahead, 1 to 1000.",
        },
        ArgumentDoc {
            name: "model",
            sql_type: "VARCHAR constant",
            description: "'auto' (default: a vote of all others), 'snaive', 'dot', 'ets', 'hw', 'ar' or 'smedian'.",
        },
        ArgumentDoc {
            name: "season",
            sql_type: "BIGINT constant",
            description: "Values in a season, 1 (none) to 1000. Default: a year of months or weeks, a week of days, a day \
                of hours, none for integers.",
        },
        ArgumentDoc {
            name: "gaps",
            sql_type: "VARCHAR constant",
            description: "What a missing period (no row, or a NULL value) counts as: 'interpolate' (default, on the line \
                between its neighbours), 'zero', 'previous', 'null' (no forecast for the group) or 'error' (the \
                query fails).",
        },
        ArgumentDoc {
            name: "calendar",
            sql_type: "VARCHAR constant",
            description: "'none' (default) or 'lunar_new_year': what the holiday week moves between January and February is \
                estimated from the series, shrunk by its uncertainty, taken out, and put where the coming holidays fall. \
                For successive months from 1970 to 2050 with four years of history and a level above zero; \
                otherwise it changes nothing.",
        },
        ArgumentDoc {
            name: "drift",
            sql_type: "BOOLEAN or DOUBLE constant",
            description: "The share of the past growth that goes on, 0 to 1; true is 1, false (default) is 0. Where prices \
                rise, the median of flat models lies too low and a share of the growth corrects it, but on the real series \
                tried more than half of it made the errors larger: compare shares with `backtest`. Growth is the geometric mean over the last five years. \
                It is taken out before the models see the series, and put back. For series of two seasons or more \
                whose yearly sums are above zero.",
        },
    ],
    returns: "LIST of STRUCT(step BIGINT, forecast_timestamp (the type of `period`), forecast_value DOUBLE, lo80, hi80, \
        lo95, hi95 DOUBLE, model VARCHAR, status VARCHAR), `horizon` entries in order; \
        lo95 <= lo80 <= forecast_value <= hi80 <= hi95, in the unit of `value`.",
    nulls: "Rows where `period` or `value` is NULL are left out, which makes their period a missing one. A group without \
        rows gives NULL; a group of nothing but such rows gives status `no_data`. NULL for an option means its default.",
    errors: "At planning: `horizon` or `season` not a constant from 1 to 1000, an unknown `model`, `gaps` or `calendar`, a \
        `drift` that is not from 0 to 1, a `period` that is neither date, timestamp nor integer, a `value` that is no number. Bad data never fails the query (except \
        with gaps => 'error'): see `status`.",
    source: "Fiorucci et al. (2016), Models for optimising the theta method; Hyndman et al. (2008), Forecasting with \
        exponential smoothing; Makridakis et al. (2020), The M4 competition; for \
        the calendar, new moons, winter solstices and principal terms by the rules of GB/T 33661-2017.",
    examples: &[
        Example {
            sql: "SELECT step['forecast_timestamp'] AS month, round(step['forecast_value'], 1) AS expected, \
                round(step['lo95'], 1) AS lo95, round(step['hi95'], 1) AS hi95, step['status'] AS status\n\
                FROM (SELECT unnest(forecast(month, receipts, 3)) AS step\n      \
                FROM (SELECT make_date(2021 + n / 12, n % 12 + 1, 1) AS month, 100 + n + 20 * (n % 3) AS receipts\n            \
                FROM generate_series(0, 47) AS g(n)))",
            result: "
+------------+----------+-------+-------+--------+
| month      | expected | lo95  | hi95  | status |
+------------+----------+-------+-------+--------+
| 2025-01-01 | 146.3    | 133.6 | 159.0 | ok     |
| 2025-02-01 | 168.4    | 155.5 | 181.3 | ok     |
| 2025-03-01 | 190.6    | 176.3 | 204.9 | ok     |
+------------+----------+-------+-------+--------+
",
        },
        Example {
            sql: "SELECT tax, f[1]['forecast_timestamp'] AS year, f[1]['forecast_value'] AS expected, f[1]['status'] AS status\n\
                FROM (SELECT tax, forecast(year, receipts, 1, model => 'snaive') AS f\n      \
                FROM (VALUES ('stamp', 2023, 7), ('stamp', 2024, 9), ('vat', 2023, 30), ('vat', 2024, 34)) AS t(tax, year, receipts)\n      \
                GROUP BY tax)\n\
                ORDER BY tax",
            result: "
+-------+------+----------+---------------+
| tax   | year | expected | status        |
+-------+------+----------+---------------+
| stamp | 2025 | 9.0      | short_history |
| vat   | 2025 | 34.0     | short_history |
+-------+------+----------+---------------+
",
        },
    ],
};
