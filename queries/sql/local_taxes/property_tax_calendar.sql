-- title: When house and land value tax come in
-- question: Do the house tax (May) and the land value tax (November) arrive in their months, and what comes late?
-- param: year integer 2025 – calendar year
-- column: county_code text – county
-- column: county_zh text – its name
-- column: tax_type text – house or land_value
-- column: in_season integer – collected in the collection month and the next, NT$
-- column: out_of_season integer – collected in the other ten months, NT$
-- column: late_percent double – out of season, of the year, 2 decimals
-- portable: yes
WITH seasons AS (
    SELECT r.county_code,
           r.tax_type,
           r.net_collections,
           CASE WHEN r.tax_type = 'house' AND EXTRACT(MONTH FROM r.month) IN (5, 6) THEN TRUE
                WHEN r.tax_type = 'land_value' AND EXTRACT(MONTH FROM r.month) IN (11, 12) THEN TRUE
                ELSE FALSE
           END AS in_season
    FROM tax.revenue_monthly r
    WHERE r.tax_type IN ('house', 'land_value') AND EXTRACT(YEAR FROM r.month) = $year
),
summed AS (
    SELECT county_code,
           tax_type,
           CAST(SUM(CASE WHEN in_season THEN net_collections ELSE 0 END) AS BIGINT) AS in_season,
           CAST(SUM(CASE WHEN in_season THEN 0 ELSE net_collections END) AS BIGINT) AS out_of_season
    FROM seasons
    GROUP BY county_code, tax_type
)
SELECT s.county_code,
       c.name_zh AS county_zh,
       s.tax_type,
       s.in_season,
       s.out_of_season,
       CASE WHEN s.in_season + s.out_of_season > 0
            THEN round(CAST(s.out_of_season AS DOUBLE) * 100 / (s.in_season + s.out_of_season), 2)
       END AS late_percent
FROM summed s
JOIN ref.county c ON c.county_code = s.county_code
ORDER BY s.tax_type, late_percent DESC NULLS LAST, s.county_code
