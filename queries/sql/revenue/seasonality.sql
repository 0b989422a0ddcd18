-- title: The year's shape of each tax
-- question: What share of a year does each month bring, over the last complete years?
-- param: first_year integer 2021 – first calendar year counted
-- param: last_year integer 2025 – last calendar year counted
-- column: tax_type text – tax
-- column: month_of_year integer – 1 to 12
-- column: net_collections integer – all counted years together, NT$
-- column: share_percent double – of the tax's year, 2 decimals
-- column: index_100 double – 100 is an average month, 1 decimal
-- portable: yes
WITH monthly AS (
    SELECT tax_type,
           CAST(EXTRACT(MONTH FROM month) AS BIGINT) AS month_of_year,
           CAST(SUM(net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly
    WHERE EXTRACT(YEAR FROM month) BETWEEN $first_year AND $last_year
    GROUP BY tax_type, CAST(EXTRACT(MONTH FROM month) AS BIGINT)
),
totals AS (
    SELECT tax_type, CAST(SUM(net_collections) AS BIGINT) AS total
    FROM monthly
    GROUP BY tax_type
)
SELECT m.tax_type,
       m.month_of_year,
       m.net_collections,
       round(CAST(m.net_collections AS DOUBLE) * 100 / t.total, 2) AS share_percent,
       round(CAST(m.net_collections AS DOUBLE) * 1200 / t.total, 1) AS index_100
FROM monthly m
JOIN totals t ON t.tax_type = m.tax_type
WHERE t.total > 0
ORDER BY m.tax_type, m.month_of_year
