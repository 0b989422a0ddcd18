//! What `ai_forecast` says of itself.

use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

/// The contract of `ai_forecast`.
pub(crate) static AI_FORECAST: FunctionDoc = FunctionDoc {
    name: "ai_forecast",
    kind: FunctionKind::Table,
    section: "Forecasting",
    summary: "Forecasts every series of a table or query, with the columns of BigQuery's AI.FORECAST.",
    description: "Stands in a FROM clause. The rows with the same values of `id_cols` are one series, which `forecast` \
        forecasts; every step is a row. The forecasts are those of GROUP BY `id_cols` with `forecast` and `unnest`, and run as \
        that does: the answer depends on no order of rows, partition or thread. The intervals are calibrated by all \
        series of the call: each is also forecast from its last two origins, a horizon apart, and the errors, over the \
        distance to the bound that they were to stay within, are pooled over series and steps; their quantile at 0.8 (and \
        at 0.95) is what the distances to the bounds of `forecast` at that level are multiplied by, drawn towards 1 by the \
        weight of 20 series. So a few series change the bounds little, and an interval depends on which series \
        stand beside it, as a conformal interval must; with calibration => 'none' the bounds are \
        those of `forecast`, at a third of the cost. Calibrated, the data is read twice: a query that is not the same twice (a random sample) is not \
        for it. At other levels their distance from the forecast is interpolated linearly in the standard \
        normal quantile of the level (beyond 0.95 it grows in proportion to it).",
    syntax: "ai_forecast(TABLE(schema.name) | (SELECT …), data_col => 'value', timestamp_col => 'month' \
        [, id_cols => ['tax_type']] [, horizon => 10] [, confidence_level => 0.95] [, model => 'auto'] [, season => n] \
        [, gaps => 'interpolate'] [, calendar => 'none'] [, drift => false] \
        [, calibration => 'pooled'])",
    arguments: &[
        ArgumentDoc {
            name: "TABLE",
            sql_type: "table or query",
            description: "The data: TABLE(schema.name), or a query in parentheses.",
        },
        ArgumentDoc {
            name: "data_col",
            sql_type: "name of a column",
            description: "The values, any number.",
        },
        ArgumentDoc {
            name: "timestamp_col",
            sql_type: "name of a column",
            description: "The periods: DATE, TIMESTAMP or integer.",
        },
        ArgumentDoc {
            name: "id_cols",
            sql_type: "list of names of columns",
            description: "What tells the series apart; without it all rows are one series.",
        },
        ArgumentDoc {
            name: "horizon",
            sql_type: "BIGINT constant",
            description: "How many periods ahead, 1 to 1000; 10 by default.",
        },
        ArgumentDoc {
            name: "confidence_level",
            sql_type: "DOUBLE constant",
            description: "Share of values that the interval is to hold, 0.01 to 0.999; 0.95 by default.",
        },
        ArgumentDoc { name: "model", sql_type: "VARCHAR constant", description: "As for `forecast`." },
        ArgumentDoc { name: "season", sql_type: "BIGINT constant", description: "As for `forecast`." },
        ArgumentDoc { name: "gaps", sql_type: "VARCHAR constant", description: "As for `forecast`." },
        ArgumentDoc { name: "calendar", sql_type: "VARCHAR constant", description: "As for `forecast`." },
        ArgumentDoc {
            name: "drift",
            sql_type: "BOOLEAN or DOUBLE constant",
            description: "As for `forecast`.",
        },
        ArgumentDoc {
            name: "calibration",
            sql_type: "VARCHAR constant",
            description: "'pooled' (default): by the past errors of all series of the call; 'none': the bounds of `forecast`.",
        },
    ],
    returns: "The id columns, then forecast_timestamp (the type of `timestamp_col`), forecast_value DOUBLE, confidence_level \
        DOUBLE, prediction_interval_lower_bound DOUBLE, prediction_interval_upper_bound DOUBLE and ai_forecast_status \
        VARCHAR (`ok`, or the words of `forecast`'s status): `horizon` rows for every series.",
    nulls: "Rows whose time or value is NULL are left out; NULL in an id column is a series of its own. A series of nothing \
        but such rows has `horizon` rows of NULLs with status `no_data`; no rows give no rows.",
    errors: "At planning: another form of call, an unknown column or argument (the nearest is offered), a horizon or \
        confidence level out of range, a column of a type that `forecast` does not take. Bad data never fails the query \
        (except with gaps => 'error').",
    source: "BigQuery's AI.FORECAST for the form and the columns; `forecast` for the numbers; Vovk et al. \
        (2005), Algorithmic Learning in a Random World, for intervals from quantiles of held-out errors.",
    examples: &[Example {
        sql: "SELECT tax, forecast_timestamp AS month, round(forecast_value, 1) AS expected, \
            round(prediction_interval_lower_bound, 1) AS low, round(prediction_interval_upper_bound, 1) AS high\n\
            FROM ai_forecast(\n  \
            (SELECT tax, make_date(2021 + n / 12, n % 12 + 1, 1) AS month, size * (100 + n + 20 * (n % 3)) AS receipts\n   \
            FROM generate_series(0, 47) AS g(n) CROSS JOIN (VALUES ('stamp', 1), ('vat', 10)) AS t(tax, size)),\n  \
            data_col => 'receipts', timestamp_col => 'month', id_cols => ['tax'], horizon => 2, confidence_level => 0.9)\n\
            ORDER BY tax, month",
        result: "
+-------+------------+----------+--------+--------+
| tax   | month      | expected | low    | high   |
+-------+------------+----------+--------+--------+
| stamp | 2025-01-01 | 146.3    | 137.3  | 155.2  |
| stamp | 2025-02-01 | 168.4    | 159.4  | 177.4  |
| vat   | 2025-01-01 | 1462.9   | 1373.5 | 1552.4 |
| vat   | 2025-02-01 | 1684.0   | 1593.8 | 1774.2 |
+-------+------------+----------+--------+--------+
",
    }],
};
