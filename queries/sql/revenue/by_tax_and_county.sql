-- title: Net collections by tax and county
-- question: Where does each tax come from?
-- param: year integer 2025 – calendar year
-- param: tax_type text all – one tax, or all
-- column: tax_type text – tax
-- column: name_zh text – its name
-- column: county_code text – county
-- column: county_zh text – its name
-- column: net_collections integer – collected less refunds, NT$
-- column: rank integer – of the county within the tax, largest first
-- portable: yes
WITH collected AS (
    SELECT tax_type, county_code, CAST(SUM(net_collections) AS BIGINT) AS net_collections
    FROM tax.revenue_monthly
    WHERE EXTRACT(YEAR FROM month) = $year AND ($tax_type = 'all' OR tax_type = $tax_type)
    GROUP BY tax_type, county_code
)
SELECT x.tax_type,
       t.name_zh,
       x.county_code,
       c.name_zh AS county_zh,
       x.net_collections,
       CAST(ROW_NUMBER() OVER (PARTITION BY x.tax_type ORDER BY x.net_collections DESC, x.county_code) AS BIGINT) AS rank
FROM collected x
JOIN ref.tax_type t ON t.tax_type = x.tax_type
JOIN ref.county c ON c.county_code = x.county_code
ORDER BY x.tax_type, rank
