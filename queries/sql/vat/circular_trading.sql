-- title: Circular trading among three businesses
-- question: Which three businesses sell nearly the same amount round in a circle within a period?
-- param: minimum_amount integer 100000 – smallest amount of each leg in the period, without tax, NT$
-- param: tolerance_percent integer 10 – largest difference between the legs
-- column: period text – two-month period
-- column: first_ban text – the smallest number of the three; sells to the second
-- column: second_ban text – sells to the third
-- column: third_ban text – sells to the first
-- column: first_amount integer – first to second, without tax, NT$
-- column: second_amount integer – second to third, NT$
-- column: third_amount integer – third to first, NT$
-- column: spread_percent double – largest over smallest leg, less 100, 2 decimals
-- column: circulated_tax integer – tax on the three legs, NT$
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
           a.amount AS first_amount,
           b.amount AS second_amount,
           c.amount AS third_amount,
           a.tax + b.tax + c.tax AS circulated_tax,
           least(a.amount, b.amount, c.amount) AS smallest,
           greatest(a.amount, b.amount, c.amount) AS largest
    FROM legs a
    JOIN legs b ON b.period = a.period AND b.seller_ban = a.buyer_ban
    JOIN legs c ON c.period = a.period AND c.seller_ban = b.buyer_ban AND c.buyer_ban = a.seller_ban
    WHERE a.seller_ban < b.seller_ban AND a.seller_ban < c.seller_ban
)
SELECT period,
       first_ban,
       second_ban,
       third_ban,
       first_amount,
       second_amount,
       third_amount,
       round(CAST(largest - smallest AS DOUBLE) * 100 / smallest, 2) AS spread_percent,
       circulated_tax
FROM circles
WHERE largest * 100 <= smallest * (100 + $tolerance_percent)
ORDER BY circulated_tax DESC, period, first_ban, second_ban, third_ban
