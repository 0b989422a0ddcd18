-- title: Carousels of any length
-- question: Which chains of sales come back to where they began, with nearly the same amount on every leg?
-- param: minimum_amount integer 100000 – smallest amount of each leg in the period, without tax, NT$
-- param: tolerance_percent integer 10 – largest difference between the legs of a chain
-- param: longest integer 6 – most legs followed
-- column: period text – two-month period
-- column: legs integer – businesses in the circle
-- column: chain text – business numbers in the order of the sales, the smallest first and again at the end
-- column: smallest_leg integer – without tax, NT$
-- column: largest_leg integer – without tax, NT$
-- column: non_filers integer – members without a return for the period
-- portable: yes
WITH RECURSIVE legs AS (
    SELECT period, seller_ban, buyer_ban, CAST(SUM(sales_amount) AS BIGINT) AS amount
    FROM invoice.header
    WHERE buyer_ban IS NOT NULL AND buyer_ban <> seller_ban
    GROUP BY period, seller_ban, buyer_ban
    HAVING SUM(sales_amount) >= $minimum_amount
),
filed AS (
    SELECT DISTINCT ban, period FROM tax.vat_return
),
marked AS (
    SELECT l.period,
           l.seller_ban,
           l.buyer_ban,
           l.amount,
           CASE WHEN f.ban IS NULL THEN 1 ELSE 0 END AS not_filed
    FROM legs l
    LEFT JOIN filed f ON f.ban = l.seller_ban AND f.period = l.period
),
chains AS (
    SELECT period,
           seller_ban AS start_ban,
           buyer_ban AS end_ban,
           CAST(1 AS BIGINT) AS legs,
           concat(seller_ban, ' ', buyer_ban) AS chain,
           amount AS smallest_leg,
           amount AS largest_leg,
           CAST(not_filed AS BIGINT) AS non_filers
    FROM marked
    UNION ALL
    SELECT c.period,
           c.start_ban,
           m.buyer_ban,
           c.legs + 1,
           concat(c.chain, ' ', m.buyer_ban),
           least(c.smallest_leg, m.amount),
           greatest(c.largest_leg, m.amount),
           c.non_filers + m.not_filed
    FROM chains c
    JOIN marked m ON m.period = c.period AND m.seller_ban = c.end_ban
    WHERE c.legs < $longest
      AND c.end_ban > c.start_ban
      AND m.buyer_ban >= c.start_ban
      AND (m.buyer_ban = c.start_ban OR strpos(c.chain, m.buyer_ban) = 0)
      AND greatest(c.largest_leg, m.amount) * 100 <= least(c.smallest_leg, m.amount) * (100 + $tolerance_percent)
)
SELECT period, legs, chain, smallest_leg, largest_leg, non_filers
FROM chains
WHERE end_ban = start_ban
ORDER BY smallest_leg DESC, period, chain
