-- title: From the counties to the nation
-- question: What will every county and the nation collect in the coming months, so that the parts add up to the dollar?
-- param: horizon integer 6 – months ahead
-- column: level text – nation, or county
-- column: county_code text – county; NULL for the nation
-- column: county_zh text – its name; NULL for the nation
-- column: month date – month forecast
-- column: net_collections integer – expected, NT$: the sum of the taxes' forecasts, each in whole dollars
-- column: series integer – forecasts of one tax in one county that the sum is made of
-- column: not_forecast integer – series without a forecast, which the sum leaves out
-- portable: no
WITH forecasts AS (
    SELECT county_code, tax_type, unnest(forecast(month, net_collections, $horizon)) AS step
    FROM tax.revenue_monthly
    GROUP BY county_code, tax_type
),
leaves AS (
    SELECT county_code,
           step['forecast_timestamp'] AS month,
           CAST(round(step['forecast_value']) AS BIGINT) AS net_collections
    FROM forecasts
),
sums AS (
    SELECT county_code,
           month,
           GROUPING(county_code) AS all_counties,
           CAST(SUM(net_collections) AS BIGINT) AS net_collections,
           CAST(COUNT(net_collections) AS BIGINT) AS series,
           CAST(COUNT(*) - COUNT(net_collections) AS BIGINT) AS not_forecast
    FROM leaves
    GROUP BY GROUPING SETS ((county_code, month), (month))
)
SELECT CASE WHEN s.all_counties = 1 THEN 'nation' ELSE 'county' END AS level,
       s.county_code,
       c.name_zh AS county_zh,
       s.month,
       s.net_collections,
       s.series,
       s.not_forecast
FROM sums s
LEFT JOIN ref.county c ON c.county_code = s.county_code
ORDER BY level DESC, s.month, s.county_code
