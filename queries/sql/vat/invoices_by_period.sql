-- title: E-invoices by period
-- question: How many invoices are issued, to whom, and how many sit in carriers?
-- column: period text – two-month period
-- column: invoices integer – invoices
-- column: to_consumers integer – without a buyer's business number
-- column: in_carriers integer – consumer invoices kept in a carrier
-- column: carrier_percent double – of the consumer invoices, 2 decimals
-- column: donated integer – given to charity
-- column: zero_rated integer – of tax kind 2
-- column: sellers integer – businesses that issued them
-- column: total_amount integer – with tax, NT$
-- column: average_amount integer – per invoice, rounded, NT$
-- portable: yes
SELECT period,
       COUNT(*) AS invoices,
       COUNT(*) FILTER (WHERE buyer_ban IS NULL) AS to_consumers,
       COUNT(*) FILTER (WHERE buyer_ban IS NULL AND carrier_type IS NOT NULL) AS in_carriers,
       CASE WHEN COUNT(*) FILTER (WHERE buyer_ban IS NULL) > 0
            THEN round(CAST(COUNT(*) FILTER (WHERE buyer_ban IS NULL AND carrier_type IS NOT NULL) AS DOUBLE) * 100
                       / COUNT(*) FILTER (WHERE buyer_ban IS NULL), 2)
       END AS carrier_percent,
       COUNT(*) FILTER (WHERE donated) AS donated,
       COUNT(*) FILTER (WHERE tax_kind = '2') AS zero_rated,
       COUNT(DISTINCT seller_ban) AS sellers,
       CAST(SUM(total_amount) AS BIGINT) AS total_amount,
       CAST(round(CAST(SUM(total_amount) AS DOUBLE) / COUNT(*)) AS BIGINT) AS average_amount
FROM invoice.header
GROUP BY period
ORDER BY period
