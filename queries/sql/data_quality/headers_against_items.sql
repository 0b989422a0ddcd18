-- title: Invoices whose lines do not add up
-- question: On which invoices is the sum of the lines not the amount at the foot?
-- param: tolerance integer 2 – largest difference from rounding that is accepted, NT$
-- column: period text – two-month period
-- column: invoice_number text – invoice
-- column: seller_ban text – seller
-- column: items integer – lines; 0 where none arrived
-- column: item_amount integer – sum of the lines, NT$
-- column: header_amount integer – at the foot: with tax to consumers, without to businesses, NT$
-- column: difference integer – lines less foot, NT$
-- portable: yes
WITH lines AS (
    SELECT period, invoice_number, COUNT(*) AS items, CAST(SUM(amount) AS BIGINT) AS item_amount
    FROM invoice.item
    GROUP BY period, invoice_number
),
compared AS (
    SELECT h.period,
           h.invoice_number,
           h.seller_ban,
           COALESCE(l.items, 0) AS items,
           COALESCE(l.item_amount, 0) AS item_amount,
           CASE WHEN h.buyer_ban IS NULL THEN h.total_amount ELSE h.sales_amount END AS header_amount
    FROM invoice.header h
    LEFT JOIN lines l ON l.period = h.period AND l.invoice_number = h.invoice_number
)
SELECT period, invoice_number, seller_ban, items, item_amount, header_amount, item_amount - header_amount AS difference
FROM compared
WHERE abs(item_amount - header_amount) > $tolerance
ORDER BY abs(item_amount - header_amount) DESC, period, invoice_number, seller_ban
