-- title: Local taxes ahead, by county
-- question: What will each county's own taxes bring in the coming months?
-- param: horizon integer 12 – months ahead
-- column: county_code text – county
-- column: county_zh text – its name
-- column: month date – month forecast
-- column: net_collections double – expected, NT$, 0 decimals
-- column: lo80 double – low end of the 80 % interval, NT$, 0 decimals
-- column: hi80 double – high end of the 80 % interval, NT$, 0 decimals
-- column: status text – ok, or what to know of the series
-- portable: no
WITH monthly AS (
    SELECT r.county_code, r.month, CAST(SUM(r.net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly r
    JOIN ref.tax_type t ON t.tax_type = r.tax_type
    WHERE t.level = 'local'
    GROUP BY r.county_code, r.month
),
forecasts AS (
    SELECT county_code, unnest(forecast(month, net_collections, $horizon)) AS step
    FROM monthly
    GROUP BY county_code
)
SELECT f.county_code,
       c.name_zh AS county_zh,
       f.step['forecast_timestamp'] AS month,
       round(f.step['forecast_value']) AS net_collections,
       round(f.step['lo80']) AS lo80,
       round(f.step['hi80']) AS hi80,
       f.step['status'] AS status
FROM forecasts f
JOIN ref.county c ON c.county_code = f.county_code
ORDER BY f.county_code, month
