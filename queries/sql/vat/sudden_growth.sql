-- title: Sudden growth of sales between businesses
-- question: Whose sales to businesses in a period are many times those of the three periods before?
-- param: factor integer 4 – how many times the average of the three periods before
-- param: minimum_sales integer 500000 – smallest sales in the period listed, NT$
-- column: ban text – seller
-- column: name text – its name
-- column: registered_on date – registration
-- column: period text – two-month period of the jump
-- column: sales_amount integer – to businesses, without tax, NT$
-- column: average_before integer – of the three periods before, rounded, NT$
-- column: times double – sales over the average, 1 decimal; NULL without sales before
-- column: declared_sales integer – on the return; NULL without one, NT$
-- portable: yes
WITH periods AS (
    SELECT period, ROW_NUMBER() OVER (ORDER BY period) AS place
    FROM (SELECT DISTINCT period FROM invoice.header) known
),
sold AS (
    SELECT h.seller_ban, p.place, h.period, CAST(SUM(h.sales_amount) AS BIGINT) AS sales_amount
    FROM invoice.header h
    JOIN periods p ON p.period = h.period
    WHERE h.buyer_ban IS NOT NULL
    GROUP BY h.seller_ban, p.place, h.period
),
compared AS (
    SELECT s.seller_ban,
           s.period,
           s.sales_amount,
           CAST(COALESCE(SUM(b.sales_amount), 0) AS BIGINT) AS before_sum
    FROM sold s
    LEFT JOIN sold b ON b.seller_ban = s.seller_ban AND b.place BETWEEN s.place - 3 AND s.place - 1
    WHERE s.place > 3 AND s.sales_amount >= $minimum_sales
    GROUP BY s.seller_ban, s.period, s.sales_amount
),
declared AS (
    SELECT ban, period, CAST(SUM(sales_amount) AS BIGINT) AS declared_sales
    FROM tax.vat_return
    GROUP BY ban, period
)
SELECT c.seller_ban AS ban,
       t.name,
       t.registered_on,
       c.period,
       c.sales_amount,
       CAST(round(CAST(c.before_sum AS DOUBLE) / 3) AS BIGINT) AS average_before,
       CASE WHEN c.before_sum > 0 THEN round(CAST(c.sales_amount AS DOUBLE) * 3 / c.before_sum, 1) END AS times,
       d.declared_sales
FROM compared c
LEFT JOIN tax.taxpayer t ON t.ban = c.seller_ban
LEFT JOIN declared d ON d.ban = c.seller_ban AND d.period = c.period
WHERE c.sales_amount * 3 >= c.before_sum * $factor
ORDER BY c.sales_amount DESC, c.seller_ban, c.period
