-- title: Twelve months ahead, by tax
-- question: What will each of Taiwan's taxes bring in the coming months, and within what range?
-- param: horizon integer 12 – months ahead
-- param: since date 1999-01-01 – first month that the forecast learns from
-- param: tax_type text all – one tax, or all that still bring money
-- column: tax_type text – tax; total is the published sum
-- column: tax_name_zh text – its name
-- column: month date – month forecast
-- column: net_collections_million double – expected, NT$ million, 1 decimal
-- column: lo80 double – low end of the 80 % interval, NT$ million, 1 decimal
-- column: hi80 double – high end of the 80 % interval, NT$ million, 1 decimal
-- column: lo95 double – low end of the 95 % interval, NT$ million, 1 decimal
-- column: hi95 double – high end of the 95 % interval, NT$ million, 1 decimal
-- column: status text – ok, or what to know of the series
-- portable: no
WITH latest AS (
    SELECT MAX(CAST(EXTRACT(YEAR FROM month) AS BIGINT)) AS year FROM real.tw_tax_monthly
),
living AS (
    SELECT t.tax_type
    FROM real.tw_tax_monthly t
    CROSS JOIN latest l
    WHERE EXTRACT(YEAR FROM t.month) >= l.year - 1 AND ($tax_type = 'all' OR t.tax_type = $tax_type)
    GROUP BY t.tax_type
    HAVING SUM(abs(t.net_collections_million)) > 0
),
forecasts AS (
    SELECT t.tax_type, t.tax_name_zh, unnest(forecast(t.month, t.net_collections_million, $horizon)) AS step
    FROM real.tw_tax_monthly t
    JOIN living l ON l.tax_type = t.tax_type
    WHERE t.month >= $since
    GROUP BY t.tax_type, t.tax_name_zh
)
SELECT tax_type,
       tax_name_zh,
       step['forecast_timestamp'] AS month,
       round(step['forecast_value'], 1) AS net_collections_million,
       round(step['lo80'], 1) AS lo80,
       round(step['hi80'], 1) AS hi80,
       round(step['lo95'], 1) AS lo95,
       round(step['hi95'], 1) AS hi95,
       step['status'] AS status
FROM forecasts
ORDER BY tax_type, month
