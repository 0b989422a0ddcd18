-- title: Gaps in invoice numbers
-- question: Which numbers are missing between the first allotted to a seller and the last it used?
-- param: minimum_missing integer 1 – smallest number of missing invoices in a gap
-- column: seller_ban text – seller
-- column: period text – two-month period
-- column: track text – the two letters
-- column: first_missing text – first number missing
-- column: last_missing text – last number missing
-- column: missing integer – numbers missing
-- column: before_gap date – date of the invoice before the gap; NULL at the head of the numbers allotted
-- column: after_gap date – date of the invoice after it
-- portable: yes
WITH numbered AS (
    SELECT DISTINCT seller_ban,
           period,
           substr(invoice_number, 1, 2) AS track,
           CAST(substr(invoice_number, 3, 8) AS BIGINT) AS number,
           invoice_date
    FROM invoice.header
    UNION ALL
    SELECT seller_ban, period, track, CAST(substr(first_number, 3, 8) AS BIGINT) - 1, CAST(NULL AS DATE)
    FROM invoice.allotment
),
neighbours AS (
    SELECT seller_ban,
           period,
           track,
           number,
           invoice_date,
           LAG(number) OVER (PARTITION BY seller_ban, period, track ORDER BY number, invoice_date NULLS FIRST) AS previous_number,
           LAG(invoice_date) OVER (PARTITION BY seller_ban, period, track ORDER BY number, invoice_date NULLS FIRST) AS previous_date
    FROM numbered
)
SELECT seller_ban,
       period,
       track,
       concat(track, lpad(CAST(previous_number + 1 AS VARCHAR), 8, '0')) AS first_missing,
       concat(track, lpad(CAST(number - 1 AS VARCHAR), 8, '0')) AS last_missing,
       number - previous_number - 1 AS missing,
       previous_date AS before_gap,
       invoice_date AS after_gap
FROM neighbours
WHERE number - previous_number - 1 >= $minimum_missing
ORDER BY missing DESC, period, first_missing, seller_ban
