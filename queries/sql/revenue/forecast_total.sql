-- title: All taxes ahead
-- question: What will all taxes together bring in the coming months, against the same months of the last year?
-- param: horizon integer 12 – months ahead, at most 12
-- param: level text all – national, local or all
-- column: month date – month forecast
-- column: net_collections double – expected, NT$, 0 decimals
-- column: lo80 double – low end of the 80 % interval, NT$, 0 decimals
-- column: hi80 double – high end of the 80 % interval, NT$, 0 decimals
-- column: year_before integer – collected in the same month of the last year, NT$
-- column: change_percent double – expected change, 1 decimal
-- column: status text – ok, or what to know of the series
-- portable: no
WITH monthly AS (
    SELECT r.month, CAST(SUM(r.net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly r
    JOIN ref.tax_type t ON t.tax_type = r.tax_type
    WHERE $level = 'all' OR t.level = $level
    GROUP BY r.month
),
forecasts AS (
    SELECT unnest(forecast(month, net_collections, $horizon)) AS step
    FROM monthly
)
SELECT f.step['forecast_timestamp'] AS month,
       round(f.step['forecast_value']) AS net_collections,
       round(f.step['lo80']) AS lo80,
       round(f.step['hi80']) AS hi80,
       b.net_collections AS year_before,
       CASE WHEN b.net_collections > 0
            THEN round((f.step['forecast_value'] - b.net_collections) * 100 / b.net_collections, 1)
       END AS change_percent,
       f.step['status'] AS status
FROM forecasts f
LEFT JOIN monthly b
    ON EXTRACT(YEAR FROM b.month) = EXTRACT(YEAR FROM f.step['forecast_timestamp']) - 1
   AND EXTRACT(MONTH FROM b.month) = EXTRACT(MONTH FROM f.step['forecast_timestamp'])
ORDER BY month
