-- title: Brazil's federal revenue by state
-- question: Which states bring the federal revenue, and how did the last twelve months change?
-- column: state text – state or federal district
-- column: taxes integer – taxes with receipts in the last twelve months
-- column: last_12_months decimal – BRL
-- column: previous_12_months decimal – BRL
-- column: change_percent double – nominal, 2 decimals
-- column: share_percent double – of all states in the last twelve months, 2 decimals
-- portable: yes
WITH numbered AS (
    SELECT state,
           tax,
           revenue_brl,
           CAST(EXTRACT(YEAR FROM month) AS BIGINT) * 12 + CAST(EXTRACT(MONTH FROM month) AS BIGINT) AS month_number
    FROM real.br_tax_monthly
),
latest AS (
    SELECT MAX(month_number) AS month_number FROM numbered
),
by_state AS (
    SELECT n.state,
           COUNT(DISTINCT CASE WHEN n.month_number > l.month_number - 12 AND n.revenue_brl <> 0 THEN n.tax END) AS taxes,
           SUM(CASE WHEN n.month_number > l.month_number - 12 THEN n.revenue_brl ELSE 0 END) AS last_12_months,
           SUM(CASE WHEN n.month_number <= l.month_number - 12 THEN n.revenue_brl ELSE 0 END) AS previous_12_months
    FROM numbered n
    CROSS JOIN latest l
    WHERE n.month_number > l.month_number - 24
    GROUP BY n.state
),
total AS (
    SELECT SUM(last_12_months) AS total FROM by_state
)
SELECT s.state,
       s.taxes,
       s.last_12_months,
       s.previous_12_months,
       CASE WHEN s.previous_12_months > 0
            THEN round((CAST(s.last_12_months AS DOUBLE) - CAST(s.previous_12_months AS DOUBLE)) * 100
                       / CAST(s.previous_12_months AS DOUBLE), 2)
       END AS change_percent,
       round(CAST(s.last_12_months AS DOUBLE) * 100 / CAST(t.total AS DOUBLE), 2) AS share_percent
FROM by_state s
CROSS JOIN total t
ORDER BY s.last_12_months DESC, s.state
