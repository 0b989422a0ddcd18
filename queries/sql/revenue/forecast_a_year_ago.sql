-- title: The forecast of a year ago, and what came
-- question: What would the forecast have said before the last months were known, and how far off was it?
-- param: months integer 12 – last months that the forecast does not see, and forecasts
-- param: since date 1999-01-01 – first month that the forecast learns from
-- param: tax_type text all – one tax, or all that still brought money
-- column: tax_type text – tax; total is the published sum
-- column: tax_name_zh text – its name
-- column: month date – month forecast
-- column: forecast double – what would have been expected, NT$ million, 1 decimal
-- column: lo80 double – low end of the 80 % interval, NT$ million, 1 decimal
-- column: hi80 double – high end of the 80 % interval, NT$ million, 1 decimal
-- column: lo95 double – low end of the 95 % interval, NT$ million, 1 decimal
-- column: hi95 double – high end of the 95 % interval, NT$ million, 1 decimal
-- column: came double – net collections of the month, NT$ million, 1 decimal
-- column: error double – forecast less what came, NT$ million, 1 decimal
-- column: status text – ok, or what to know of the series
-- portable: no
WITH numbered AS (
    SELECT tax_type,
           tax_name_zh,
           month,
           net_collections_million,
           CAST(EXTRACT(YEAR FROM month) AS BIGINT) * 12 + CAST(EXTRACT(MONTH FROM month) AS BIGINT) AS number
    FROM real.tw_tax_monthly
    WHERE $tax_type = 'all' OR tax_type = $tax_type
),
latest AS (
    SELECT MAX(number) - $months AS number FROM numbered
),
living AS (
    SELECT n.tax_type
    FROM numbered n
    CROSS JOIN latest l
    WHERE n.number > l.number - 12 AND n.number <= l.number
    GROUP BY n.tax_type
    HAVING SUM(abs(n.net_collections_million)) > 0
),
forecasts AS (
    SELECT n.tax_type, n.tax_name_zh, unnest(forecast(n.month, n.net_collections_million, $months)) AS step
    FROM numbered n
    JOIN living a ON a.tax_type = n.tax_type
    CROSS JOIN latest l
    WHERE n.month >= $since AND n.number <= l.number
    GROUP BY n.tax_type, n.tax_name_zh
)
SELECT f.tax_type,
       f.tax_name_zh,
       n.month,
       round(f.step['forecast_value'], 1) AS forecast,
       round(f.step['lo80'], 1) AS lo80,
       round(f.step['hi80'], 1) AS hi80,
       round(f.step['lo95'], 1) AS lo95,
       round(f.step['hi95'], 1) AS hi95,
       round(CAST(n.net_collections_million AS DOUBLE), 1) AS came,
       round(f.step['forecast_value'] - CAST(n.net_collections_million AS DOUBLE), 1) AS error,
       f.step['status'] AS status
FROM forecasts f
JOIN numbered n ON n.tax_type = f.tax_type AND n.month = f.step['forecast_timestamp']
ORDER BY f.tax_type, n.month
