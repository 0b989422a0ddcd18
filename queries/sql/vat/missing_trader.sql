-- title: Missing traders
-- question: Which businesses invoice other businesses with tax and then do not declare it, or vanish?
-- param: minimum_tax integer 20000 – smallest undeclared output tax listed, NT$
-- param: most_declared_percent integer 10 – output tax declared, of the tax invoiced, that still counts as vanished
-- column: ban text – seller
-- column: name text – its name
-- column: registered_on date – registration
-- column: periods integer – periods with invoices and no return, or next to nothing on it
-- column: first_period text – first of them
-- column: last_period text – last of them
-- column: buyers integer – businesses that received the invoices
-- column: sales_amount integer – on these invoices, without tax, NT$
-- column: invoiced_tax integer – NT$
-- column: declared_tax integer – output tax on the returns, NT$
-- column: missing_tax integer – invoiced less declared, NT$
-- portable: yes
WITH invoiced AS (
    SELECT seller_ban,
           period,
           CAST(SUM(sales_amount) AS BIGINT) AS sales_amount,
           CAST(SUM(tax_amount) AS BIGINT) AS invoiced_tax
    FROM invoice.header
    WHERE buyer_ban IS NOT NULL
    GROUP BY seller_ban, period
),
declared AS (
    SELECT ban, period, CAST(SUM(output_tax) AS BIGINT) AS output_tax
    FROM tax.vat_return
    GROUP BY ban, period
),
undeclared AS (
    SELECT i.seller_ban,
           i.period,
           i.sales_amount,
           i.invoiced_tax,
           COALESCE(d.output_tax, 0) AS declared_tax
    FROM invoiced i
    LEFT JOIN declared d ON d.ban = i.seller_ban AND d.period = i.period
    WHERE i.invoiced_tax > 0 AND COALESCE(d.output_tax, 0) * 100 <= i.invoiced_tax * $most_declared_percent
),
customers AS (
    SELECT h.seller_ban, COUNT(DISTINCT h.buyer_ban) AS buyers
    FROM invoice.header h
    JOIN undeclared u ON u.seller_ban = h.seller_ban AND u.period = h.period
    WHERE h.buyer_ban IS NOT NULL
    GROUP BY h.seller_ban
),
summed AS (
    SELECT seller_ban,
           COUNT(*) AS periods,
           MIN(period) AS first_period,
           MAX(period) AS last_period,
           CAST(SUM(sales_amount) AS BIGINT) AS sales_amount,
           CAST(SUM(invoiced_tax) AS BIGINT) AS invoiced_tax,
           CAST(SUM(declared_tax) AS BIGINT) AS declared_tax
    FROM undeclared
    GROUP BY seller_ban
)
SELECT s.seller_ban AS ban,
       t.name,
       t.registered_on,
       s.periods,
       s.first_period,
       s.last_period,
       c.buyers,
       s.sales_amount,
       s.invoiced_tax,
       s.declared_tax,
       s.invoiced_tax - s.declared_tax AS missing_tax
FROM summed s
JOIN customers c ON c.seller_ban = s.seller_ban
LEFT JOIN tax.taxpayer t ON t.ban = s.seller_ban
WHERE s.invoiced_tax - s.declared_tax >= $minimum_tax
ORDER BY missing_tax DESC, s.seller_ban
