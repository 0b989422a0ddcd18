-- title: How good the forecasts were
-- question: How far off would the forecast of each tax have been in the past, and did its intervals hold?
-- param: horizon integer 12 – months that each origin forecasts
-- param: folds integer 3 – origins, a horizon apart
-- param: since date 1999-01-01 – first month that the forecast learns from
-- param: calendar text none – none, or lunar_new_year for the holiday that moves between January and February
-- column: tax_type text – tax; total is the published sum
-- column: tax_name_zh text – its name
-- column: folds integer – origins that there was history for
-- column: wape_percent double – absolute errors against what came, 2 decimals
-- column: bias_percent double – above 0 where the forecasts were too high, 2 decimals
-- column: smape_percent double – mean relative error as in the M4 competition, 2 decimals
-- column: mase double – mean error in units of the usual change over a year, 3 decimals
-- column: relative_to_seasonal_naive double – against repeating the last year; below 1 is better, 3 decimals
-- column: coverage80_percent double – months within the 80 % interval, 1 decimal
-- column: coverage95_percent double – months within the 95 % interval, 1 decimal
-- column: worst_fold date – first month of the origin with the largest errors
-- column: shock boolean – half of the months of an origin lay beyond the 95 % interval, on one side
-- column: status text – ok, or what to know of the series
-- portable: no
WITH latest AS (
    SELECT MAX(CAST(EXTRACT(YEAR FROM month) AS BIGINT)) AS year FROM real.tw_tax_monthly
),
living AS (
    SELECT t.tax_type
    FROM real.tw_tax_monthly t
    CROSS JOIN latest l
    WHERE EXTRACT(YEAR FROM t.month) >= l.year - 1
    GROUP BY t.tax_type
    HAVING SUM(abs(t.net_collections_million)) > 0
),
backtests AS (
    SELECT t.tax_type,
           t.tax_name_zh,
           backtest(t.month, t.net_collections_million, $horizon, folds => $folds, calendar => $calendar) AS b
    FROM real.tw_tax_monthly t
    JOIN living l ON l.tax_type = t.tax_type
    WHERE t.month >= $since
    GROUP BY t.tax_type, t.tax_name_zh
)
SELECT tax_type,
       tax_name_zh,
       b['folds'] AS folds,
       round(b['wape'], 2) AS wape_percent,
       round(b['bias'], 2) AS bias_percent,
       round(b['smape'], 2) AS smape_percent,
       round(b['mase'], 3) AS mase,
       round(b['relative_to_seasonal_naive'], 3) AS relative_to_seasonal_naive,
       round(b['coverage80'] * 100, 1) AS coverage80_percent,
       round(b['coverage95'] * 100, 1) AS coverage95_percent,
       b['worst_fold'] AS worst_fold,
       b['shock'] AS shock,
       b['status'] AS status
FROM backtests
ORDER BY tax_type
