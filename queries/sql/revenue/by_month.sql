-- title: Net collections by month
-- question: What was collected each month, and how far is the year?
-- param: first_month date 2024-01-01 – first month shown
-- param: last_month date 2025-12-01 – last month shown
-- param: level text all – national, local or all
-- column: month date – first day of the month
-- column: net_collections integer – collected less refunds, NT$
-- column: year_to_date integer – collected since January, NT$
-- column: change_percent double – against the same month a year before, 2 decimals
-- portable: yes
WITH monthly AS (
    SELECT r.month,
           CAST(EXTRACT(YEAR FROM r.month) AS BIGINT) AS year,
           CAST(EXTRACT(MONTH FROM r.month) AS BIGINT) AS month_of_year,
           CAST(SUM(r.net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly r
    JOIN ref.tax_type t ON t.tax_type = r.tax_type
    WHERE $level = 'all' OR t.level = $level
    GROUP BY r.month
),
compared AS (
    SELECT m.month,
           m.net_collections,
           CAST(SUM(m.net_collections) OVER (PARTITION BY m.year ORDER BY m.month) AS BIGINT) AS year_to_date,
           CASE WHEN b.net_collections > 0
                THEN round(CAST(m.net_collections - b.net_collections AS DOUBLE) * 100 / b.net_collections, 2)
           END AS change_percent
    FROM monthly m
    LEFT JOIN monthly b ON b.year = m.year - 1 AND b.month_of_year = m.month_of_year
)
SELECT month, net_collections, year_to_date, change_percent
FROM compared
WHERE month BETWEEN $first_month AND $last_month
ORDER BY month
