-- title: Why the forecast of a tax is what it is
-- question: What does the forecast of a tax rest on: its season, the holiday, its growth, and how far do the methods agree?
-- param: tax_type text total – the tax; total is the published sum
-- param: horizon integer 12 – months ahead
-- param: since date 1999-01-01 – first month that the forecast learns from
-- param: calendar text lunar_new_year – none, or lunar_new_year for the holiday that moves between January and February
-- param: drift decimal 0 – share of the past yearly growth that goes on, 0 to 1
-- column: month date – month forecast
-- column: net_collections_million double – expected, NT$ million: near the median of the six methods, 1 decimal
-- column: lo80 double – low end of the 80 % interval, NT$ million, 1 decimal
-- column: hi80 double – high end of the 80 % interval, NT$ million, 1 decimal
-- column: year_before_million double – collected in the same month of the last year, NT$ million, 1 decimal
-- column: season_percent double – above (or below) an average month by the season alone, 1 decimal; NULL where the level is not safely above zero
-- column: holiday_percent double – what the holiday adds (or takes) because it falls elsewhere than usual, 1 decimal; 0 where it is not known to
-- column: growth_percent double – past growth carried on since the last month known, 1 decimal
-- column: last_year_again double – method: the last year again (with the holiday and the growth put where they belong, as in every method), NT$ million, 1 decimal
-- column: theta double – method: Dynamic Optimised Theta, half of the long trend, NT$ million, 1 decimal
-- column: exponential_smoothing double – method: the average of smoothing models by their fit, NT$ million, 1 decimal
-- column: holt_winters double – method: level, trend and season that follow the last years, NT$ million, 1 decimal
-- column: autoregression double – method: what follows from the months before, NT$ million, 1 decimal
-- column: median_year double – method: the median of the last year with the season put back, NT$ million, 1 decimal
-- column: methods_apart_percent double – distance from the lowest to the highest method, in percent of the forecast, 1 decimal
-- column: reading text – the same in a sentence
-- portable: no
WITH history AS (
    SELECT month, net_collections_million
    FROM real.tw_tax_monthly
    WHERE tax_type = $tax_type AND month >= $since
),
explanation AS (
    SELECT forecast_explain(month, net_collections_million, $horizon, calendar => $calendar, drift => $drift) AS e
    FROM history
),
steps AS (
    SELECT e['status'] AS status, unnest(e['steps']) AS step
    FROM explanation
),
figures AS (
    SELECT s.step['forecast_timestamp'] AS month,
           s.step['forecast_value'] AS value,
           s.step['lo80'] AS lo80,
           s.step['hi80'] AS hi80,
           h.net_collections_million AS year_before,
           (s.step['seasonal_factor'] - 1) * 100 AS season_percent,
           (coalesce(s.step['calendar_factor'], 1) - 1) * 100 AS holiday_percent,
           (coalesce(s.step['growth_factor'], 1) - 1) * 100 AS growth_percent,
           s.step['snaive'] AS snaive,
           s.step['dot'] AS dot,
           s.step['ets'] AS ets,
           s.step['hw'] AS hw,
           s.step['ar'] AS ar,
           s.step['smedian'] AS smedian,
           greatest(s.step['snaive'], s.step['dot'], s.step['ets'], s.step['hw'], s.step['ar'], s.step['smedian'])
               - least(s.step['snaive'], s.step['dot'], s.step['ets'], s.step['hw'], s.step['ar'], s.step['smedian']) AS apart,
           s.status
    FROM steps s
    LEFT JOIN history h
        ON EXTRACT(YEAR FROM h.month) = EXTRACT(YEAR FROM s.step['forecast_timestamp']) - 1
       AND EXTRACT(MONTH FROM h.month) = EXTRACT(MONTH FROM s.step['forecast_timestamp'])
)
SELECT month,
       round(value, 1) AS net_collections_million,
       round(lo80, 1) AS lo80,
       round(hi80, 1) AS hi80,
       round(CAST(year_before AS DOUBLE), 1) AS year_before_million,
       round(season_percent, 1) AS season_percent,
       round(holiday_percent, 1) AS holiday_percent,
       round(growth_percent, 1) AS growth_percent,
       round(snaive, 1) AS last_year_again,
       round(dot, 1) AS theta,
       round(ets, 1) AS exponential_smoothing,
       round(hw, 1) AS holt_winters,
       round(ar, 1) AS autoregression,
       round(smedian, 1) AS median_year,
       round(CASE WHEN value <> 0 THEN apart * 100 / abs(value) END, 1) AS methods_apart_percent,
       concat_ws('; ',
           CASE WHEN value IS NULL THEN concat('no forecast: ', status) END,
           CASE WHEN season_percent >= 0.5 THEN concat('by its season ', CAST(round(season_percent) AS BIGINT), ' % above an average month')
                WHEN season_percent <= -0.5 THEN concat('by its season ', CAST(round(-season_percent) AS BIGINT), ' % below an average month')
                WHEN season_percent IS NOT NULL THEN 'by its season an average month' END,
           CASE WHEN holiday_percent >= 0.05 THEN concat(round(holiday_percent, 1), ' % more because less of the holiday falls into it than usual')
                WHEN holiday_percent <= -0.05 THEN concat(round(-holiday_percent, 1), ' % less because more of the holiday falls into it than usual') END,
           CASE WHEN abs(growth_percent) >= 0.05 THEN concat('growth carried on: ', round(growth_percent, 1), ' %') END,
           CASE WHEN apart > 0.5 * (hi80 - lo80) THEN 'the methods disagree by more than half of the 80 % interval: read it with care'
                WHEN apart IS NOT NULL THEN 'the methods agree within half of the 80 % interval' END) AS reading
FROM figures
ORDER BY month
