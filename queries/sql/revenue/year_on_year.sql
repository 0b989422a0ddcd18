-- title: Taxes year on year
-- question: Which taxes grew and which shrank against the year before?
-- param: year integer 2025 – calendar year
-- column: tax_type text – tax
-- column: name_zh text – its name
-- column: level text – national or local
-- column: net_collections integer – this year, NT$
-- column: year_before integer – the year before, NT$
-- column: change integer – NT$
-- column: change_percent double – 2 decimals; NULL where the year before is not positive
-- portable: yes
WITH yearly AS (
    SELECT tax_type,
           CAST(SUM(CASE WHEN EXTRACT(YEAR FROM month) = $year THEN net_collections ELSE 0 END) AS BIGINT) AS this_year,
           CAST(SUM(CASE WHEN EXTRACT(YEAR FROM month) = $year - 1 THEN net_collections ELSE 0 END) AS BIGINT) AS year_before
    FROM tax.revenue_monthly
    WHERE EXTRACT(YEAR FROM month) BETWEEN $year - 1 AND $year
    GROUP BY tax_type
)
SELECT y.tax_type,
       t.name_zh,
       t.level,
       y.this_year AS net_collections,
       y.year_before,
       y.this_year - y.year_before AS change,
       CASE WHEN y.year_before > 0
            THEN round(CAST(y.this_year - y.year_before AS DOUBLE) * 100 / y.year_before, 2)
       END AS change_percent
FROM yearly y
JOIN ref.tax_type t ON t.tax_type = y.tax_type
ORDER BY change DESC, y.tax_type
