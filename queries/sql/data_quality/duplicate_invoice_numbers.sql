-- title: Invoice numbers used more than once
-- question: Which invoice numbers appear on more than one invoice of a period?
-- column: period text – two-month period, year of the Republic and even month
-- column: invoice_number text – two letters and eight digits
-- column: invoices integer – invoices with the number
-- column: sellers integer – different sellers among them
-- column: total_amount integer – of all of them, NT$
-- portable: yes
SELECT period,
       invoice_number,
       COUNT(*) AS invoices,
       COUNT(DISTINCT seller_ban) AS sellers,
       CAST(SUM(total_amount) AS BIGINT) AS total_amount
FROM invoice.header
GROUP BY period, invoice_number
HAVING COUNT(*) > 1
ORDER BY period, invoice_number
