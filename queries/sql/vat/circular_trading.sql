-- title: Circular trading among three businesses
-- question: Which three businesses sell nearly the same amount round in a circle, period after period?
-- param: minimum_amount integer 100000 – smallest amount of each leg in a period, without tax, NT$
-- param: tolerance_percent integer 10 – largest difference between the legs of a period
-- param: minimum_periods integer 2 – fewest periods in which the circle closes
-- column: first_ban text – the smallest number of the three; sells to the second
-- column: second_ban text – sells to the third
-- column: third_ban text – sells to the first
-- column: periods integer – periods in which the circle closes
-- column: first_period text – first of them
-- column: last_period text – last of them
-- column: circulated_sales integer – on the three legs in these periods, without tax, NT$
-- column: circulated_tax integer – tax on them, NT$
-- column: widest_spread_percent double – largest over smallest leg of a period, less 100, 2 decimals
-- portable: yes
WITH legs AS (
    SELECT period,
           seller_ban,
           buyer_ban,
           CAST(SUM(sales_amount) AS BIGINT) AS amount,
           CAST(SUM(tax_amount) AS BIGINT) AS tax
    FROM invoice.header
    WHERE buyer_ban IS NOT NULL AND buyer_ban <> seller_ban
    GROUP BY period, seller_ban, buyer_ban
    HAVING SUM(sales_amount) >= $minimum_amount
),
circles AS (
    SELECT a.period,
           a.seller_ban AS first_ban,
           b.seller_ban AS second_ban,
           c.seller_ban AS third_ban,
           a.amount + b.amount + c.amount AS amount,
           a.tax + b.tax + c.tax AS tax,
           least(a.amount, b.amount, c.amount) AS smallest,
           greatest(a.amount, b.amount, c.amount) AS largest
    FROM legs a
    JOIN legs b ON b.period = a.period AND b.seller_ban = a.buyer_ban
    JOIN legs c ON c.period = a.period AND c.seller_ban = b.buyer_ban AND c.buyer_ban = a.seller_ban
    WHERE a.seller_ban < b.seller_ban AND a.seller_ban < c.seller_ban
)
SELECT first_ban,
       second_ban,
       third_ban,
       COUNT(*) AS periods,
       MIN(period) AS first_period,
       MAX(period) AS last_period,
       CAST(SUM(amount) AS BIGINT) AS circulated_sales,
       CAST(SUM(tax) AS BIGINT) AS circulated_tax,
       MAX(round(CAST(largest - smallest AS DOUBLE) * 100 / smallest, 2)) AS widest_spread_percent
FROM circles
WHERE largest * 100 <= smallest * (100 + $tolerance_percent)
GROUP BY first_ban, second_ban, third_ban
HAVING COUNT(*) >= $minimum_periods
ORDER BY circulated_tax DESC, first_ban, second_ban, third_ban
