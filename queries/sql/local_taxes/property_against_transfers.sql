-- title: Holding and transfer taxes on land and houses
-- question: In which counties does land revenue hang on sales rather than on holding?
-- param: first_year integer 2021 – first calendar year
-- param: last_year integer 2025 – last calendar year
-- column: county_code text – county
-- column: county_zh text – its name
-- column: year integer – calendar year
-- column: holding integer – land value and house tax, NT$
-- column: transfer integer – land value increment and deed tax, NT$
-- column: transfer_percent double – transfer, of both, 2 decimals
-- portable: yes
WITH yearly AS (
    SELECT county_code,
           CAST(EXTRACT(YEAR FROM month) AS BIGINT) AS year,
           CAST(SUM(CASE WHEN tax_type IN ('land_value', 'house') THEN net_collections ELSE 0 END) AS BIGINT) AS holding,
           CAST(SUM(CASE WHEN tax_type IN ('land_value_increment', 'deed') THEN net_collections ELSE 0 END) AS BIGINT) AS transfer
    FROM tax.revenue_monthly
    WHERE EXTRACT(YEAR FROM month) BETWEEN $first_year AND $last_year
    GROUP BY county_code, CAST(EXTRACT(YEAR FROM month) AS BIGINT)
)
SELECT y.county_code,
       c.name_zh AS county_zh,
       y.year,
       y.holding,
       y.transfer,
       CASE WHEN y.holding + y.transfer > 0
            THEN round(CAST(y.transfer AS DOUBLE) * 100 / (y.holding + y.transfer), 2)
       END AS transfer_percent
FROM yearly y
JOIN ref.county c ON c.county_code = y.county_code
ORDER BY y.county_code, y.year
