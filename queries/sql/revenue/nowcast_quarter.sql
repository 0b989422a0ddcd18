-- title: The running quarter
-- question: With the first months of a quarter received, what will each tax bring in the whole of it?
-- param: quarter date 2019-07-01 – first day of the quarter that is running
-- param: months integer 2 – months of it that are known, 1 or 2
-- param: since date 1999-01-01 – first month that is learnt from
-- column: tax_type text – tax; total is the published sum
-- column: tax_name_zh text – its name
-- column: received_million double – received so far, NT$ million, 1 decimal
-- column: forecast_million double – the quarter by complete quarters alone, NT$ million, 1 decimal
-- column: extrapolated_million double – the quarter if the usual share was received, NT$ million, 1 decimal
-- column: weight_percent double – trust in the extrapolation by the errors of both in past quarters, 1 decimal
-- column: nowcast_million double – expected for the quarter, NT$ million, 1 decimal
-- column: lo80 double – low end of the 80 % interval, NT$ million, 1 decimal
-- column: hi80 double – high end of the 80 % interval, NT$ million, 1 decimal
-- column: came_million decimal – what the quarter brought, NT$ million, where it is over
-- column: status text – ok, or what to know of the series
-- portable: no
WITH living AS (
    SELECT tax_type
    FROM real.tw_tax_monthly
    WHERE month < $quarter AND EXTRACT(YEAR FROM month) >= EXTRACT(YEAR FROM $quarter) - 1
    GROUP BY tax_type
    HAVING SUM(abs(net_collections_million)) > 0
),
quarters AS (
    SELECT t.tax_type,
           t.tax_name_zh,
           CAST(date_trunc('quarter', t.month) AS DATE) AS quarter,
           CASE WHEN COUNT(*) = 3 THEN SUM(t.net_collections_million) END AS total,
           SUM(CASE WHEN EXTRACT(MONTH FROM t.month) - EXTRACT(MONTH FROM date_trunc('quarter', t.month)) < $months
                    THEN t.net_collections_million END) AS received
    FROM real.tw_tax_monthly t
    JOIN living l ON l.tax_type = t.tax_type
    WHERE t.month >= $since
    GROUP BY t.tax_type, t.tax_name_zh, date_trunc('quarter', t.month)
),
nowcasts AS (
    SELECT tax_type,
           tax_name_zh,
           nowcast(quarter, CASE WHEN quarter < $quarter THEN total END, received) AS n
    FROM quarters
    WHERE quarter <= $quarter
    GROUP BY tax_type, tax_name_zh
)
SELECT o.tax_type,
       o.tax_name_zh,
       round(o.n['received'], 1) AS received_million,
       round(o.n['forecast_value'], 1) AS forecast_million,
       round(o.n['extrapolated_value'], 1) AS extrapolated_million,
       round(o.n['weight'] * 100, 1) AS weight_percent,
       round(o.n['nowcast_value'], 1) AS nowcast_million,
       round(o.n['lo80'], 1) AS lo80,
       round(o.n['hi80'], 1) AS hi80,
       q.total AS came_million,
       o.n['status'] AS status
FROM nowcasts o
LEFT JOIN quarters q ON q.tax_type = o.tax_type AND q.quarter = o.n['nowcast_timestamp']
ORDER BY o.tax_type
