-- title: Philadelphia's wage tax by sector
-- question: Which sectors pay the wage tax, and how did each do against the year before?
-- param: year integer 2020 – calendar year
-- column: parent_sector text – group of sectors
-- column: sector text – sector
-- column: wage_tax_usd decimal – USD
-- column: year_before decimal – USD
-- column: change_percent double – 2 decimals
-- portable: yes
WITH yearly AS (
    SELECT parent_sector,
           sector,
           SUM(CASE WHEN EXTRACT(YEAR FROM month) = $year THEN wage_tax_usd ELSE 0 END) AS wage_tax_usd,
           SUM(CASE WHEN EXTRACT(YEAR FROM month) = $year - 1 THEN wage_tax_usd ELSE 0 END) AS year_before
    FROM real.phl_wage_tax_monthly
    WHERE EXTRACT(YEAR FROM month) BETWEEN $year - 1 AND $year
    GROUP BY parent_sector, sector
)
SELECT parent_sector,
       sector,
       wage_tax_usd,
       year_before,
       CASE WHEN year_before > 0
            THEN round((CAST(wage_tax_usd AS DOUBLE) - CAST(year_before AS DOUBLE)) * 100 / CAST(year_before AS DOUBLE), 2)
       END AS change_percent
FROM yearly
ORDER BY wage_tax_usd DESC, parent_sector, sector
