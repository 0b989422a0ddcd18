-- title: Taiwan's taxes since 1974
-- question: How did the weight of each tax in all net collections change over the decades?
-- column: decade integer – first year of the decade
-- column: tax_type text – tax
-- column: tax_name_zh text – its name
-- column: net_collections_million decimal – NT$ million
-- column: share_percent double – of the published total, 2 decimals
-- portable: yes
WITH decades AS (
    SELECT CAST(floor(EXTRACT(YEAR FROM month) / 10.0) * 10 AS BIGINT) AS decade,
           tax_type,
           tax_name_zh,
           SUM(net_collections_million) AS net_collections_million
    FROM real.tw_tax_monthly
    GROUP BY CAST(floor(EXTRACT(YEAR FROM month) / 10.0) * 10 AS BIGINT), tax_type, tax_name_zh
),
totals AS (
    SELECT decade, net_collections_million AS total
    FROM decades
    WHERE tax_type = 'total'
)
SELECT d.decade,
       d.tax_type,
       d.tax_name_zh,
       d.net_collections_million,
       round(CAST(d.net_collections_million AS DOUBLE) * 100 / CAST(t.total AS DOUBLE), 2) AS share_percent
FROM decades d
JOIN totals t ON t.decade = d.decade
WHERE d.tax_type <> 'total' AND d.net_collections_million <> 0
ORDER BY d.decade, d.net_collections_million DESC, d.tax_type
