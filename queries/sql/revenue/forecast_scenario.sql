-- title: What if: rates, levels and deadlines that are known to change
-- question: What will a tax bring when its rate changes, an amount a month comes or goes, or a filing deadline moves?
-- param: tax_type text business_vat – the tax
-- param: horizon integer 12 – months ahead
-- param: rate_from date 2026-05-01 – first month under the new rate
-- param: rate_factor decimal 1.2 – new rate over the old one: 1.2 is from 5 % to 6 %, 1 is no change
-- param: pass_through decimal 0.9 – share of the change of the rate that reaches the receipts, 1 if the base does not move
-- param: level_from date 2026-01-01 – first month of the level shift
-- param: level_amount integer 0 – what every month brings more (or less, below 0), NT$
-- param: filing_from date 2026-01-01 – first month of the new filing calendar
-- param: filing_month integer 0 – month of the year whose payments move, 1 to 12; 0 for none
-- param: filing_moved_to integer 6 – month of the year that they move to, the next one of that name
-- param: filing_share decimal 1 – share of the month's receipts that moves, 0 to 1
-- column: month date – month forecast
-- column: baseline integer – expected without any change, NT$
-- column: rate_effect integer – what the rate adds, NT$
-- column: level_effect integer – what the level shift adds, NT$
-- column: filing_effect integer – what comes from another month, less what leaves for one, NT$
-- column: scenario integer – expected with all changes, NT$: the sum of the four, to the dollar
-- column: lo80 double – low end of its 80 % interval, NT$, 0 decimals; of the forecast alone: the changes are taken as certain
-- column: hi80 double – high end of its 80 % interval, NT$, 0 decimals
-- column: baseline_to_date integer – sum of the baseline since the first month, NT$
-- column: scenario_to_date integer – sum of the scenario since the first month, NT$
-- column: status text – ok, or what to know of the series
-- portable: no
WITH history AS (
    SELECT month, CAST(SUM(net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly
    WHERE tax_type = $tax_type
    GROUP BY month
),
forecasts AS (
    SELECT unnest(forecast(month, net_collections, $horizon)) AS step
    FROM history
),
baselines AS (
    SELECT step['forecast_timestamp'] AS month,
           CAST(EXTRACT(YEAR FROM step['forecast_timestamp']) * 12 + EXTRACT(MONTH FROM step['forecast_timestamp']) AS BIGINT) AS number,
           CAST(round(step['forecast_value']) AS BIGINT) AS baseline,
           (step['hi80'] - step['lo80']) / 2 AS reach,
           CASE WHEN step['forecast_timestamp'] >= $rate_from THEN ($rate_factor - 1) * $pass_through ELSE 0 END AS rate_change,
           CASE WHEN step['forecast_timestamp'] >= $level_from THEN $level_amount ELSE 0 END AS level_effect,
           CASE WHEN step['forecast_timestamp'] >= $filing_from
                 AND EXTRACT(MONTH FROM step['forecast_timestamp']) = $filing_month
                THEN $filing_share ELSE 0 END AS leaving,
           step['status'] AS status
    FROM forecasts
),
changed AS (
    SELECT month,
           number,
           baseline,
           CAST(round(CAST(baseline AS DECIMAL(19, 0)) * rate_change) AS BIGINT) AS rate_effect,
           level_effect,
           reach * (1 + CAST(rate_change AS DOUBLE)) AS reach,
           leaving,
           status
    FROM baselines
),
moved AS (
    SELECT number + ($filing_moved_to - $filing_month + 12) % 12 AS number,
           CAST(round(CAST(baseline + rate_effect + level_effect AS DECIMAL(19, 0)) * leaving) AS BIGINT) AS amount,
           reach * CAST(leaving AS DOUBLE) AS reach,
           number AS number_before
    FROM changed
    WHERE leaving > 0
),
effects AS (
    SELECT c.month,
           c.baseline,
           c.rate_effect,
           c.level_effect,
           coalesce(a.amount, 0) - coalesce(l.amount, 0) AS filing_effect,
           c.reach - coalesce(l.reach, 0) + coalesce(a.reach, 0) AS reach,
           c.status
    FROM changed c
    LEFT JOIN moved a ON a.number = c.number
    LEFT JOIN moved l ON l.number_before = c.number
),
scenarios AS (
    SELECT month,
           baseline,
           rate_effect,
           level_effect,
           filing_effect,
           baseline + rate_effect + level_effect + filing_effect AS scenario,
           reach,
           status
    FROM effects
)
SELECT month,
       baseline,
       rate_effect,
       level_effect,
       filing_effect,
       scenario,
       round(scenario - reach) AS lo80,
       round(scenario + reach) AS hi80,
       CAST(SUM(baseline) OVER (ORDER BY month) AS BIGINT) AS baseline_to_date,
       CAST(SUM(scenario) OVER (ORDER BY month) AS BIGINT) AS scenario_to_date,
       status
FROM scenarios
ORDER BY month
