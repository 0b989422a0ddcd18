-- title: Net collections by national taxation bureau
-- question: What does each of the five bureaus collect in a year, in all and per inhabitant?
-- param: year integer 2025 – calendar year
-- column: bureau_code text – national taxation bureau
-- column: name_zh text – its name
-- column: counties integer – counties it serves
-- column: net_collections integer – national taxes collected less refunds, NT$
-- column: share_percent double – of all bureaus, 2 decimals
-- column: per_inhabitant integer – NT$, rounded down
-- portable: yes
WITH served AS (
    SELECT bureau_code, COUNT(*) AS counties, CAST(SUM(population) AS BIGINT) AS population
    FROM ref.county
    GROUP BY bureau_code
),
collected AS (
    SELECT c.bureau_code, CAST(SUM(r.net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly r
    JOIN ref.tax_type t ON t.tax_type = r.tax_type
    JOIN ref.county c ON c.county_code = r.county_code
    WHERE t.level = 'national' AND EXTRACT(YEAR FROM r.month) = $year
    GROUP BY c.bureau_code
)
SELECT b.bureau_code,
       b.name_zh,
       s.counties,
       c.net_collections,
       round(CAST(c.net_collections AS DOUBLE) * 100 / SUM(c.net_collections) OVER (), 2) AS share_percent,
       CAST(floor(CAST(c.net_collections AS DOUBLE) / s.population) AS BIGINT) AS per_inhabitant
FROM collected c
JOIN served s ON s.bureau_code = c.bureau_code
JOIN ref.bureau b ON b.bureau_code = c.bureau_code
ORDER BY c.net_collections DESC, b.bureau_code
