-- title: VAT returns against e-invoices
-- question: Which sellers declared less in a period than their own invoices add up to?
-- param: minimum_gap integer 1000 – smallest difference listed, NT$
-- param: minimum_share decimal 0.02 – smallest difference listed, as a share of the invoices
-- column: ban text – seller
-- column: name text – its name
-- column: period text – two-month period
-- column: invoices integer – taxable invoices issued
-- column: invoiced_sales integer – taxable, without tax; invoices to consumers contain it and count for 20/21, NT$
-- column: declared_sales integer – taxable sales on the return, NT$
-- column: gap integer – invoiced less declared, NT$
-- column: gap_percent double – of the invoices, 2 decimals
-- column: tax_at_stake integer – 5 percent of the gap, NT$
-- portable: yes
WITH sold AS (
    SELECT seller_ban,
           period,
           COUNT(*) AS invoices,
           CAST(SUM(CASE WHEN buyer_ban IS NULL THEN 0 ELSE sales_amount END) AS BIGINT) AS net_sales,
           CAST(SUM(CASE WHEN buyer_ban IS NULL THEN total_amount ELSE 0 END) AS BIGINT) AS consumer_sales
    FROM invoice.header
    WHERE tax_kind = '1'
    GROUP BY seller_ban, period
),
invoiced AS (
    SELECT seller_ban,
           period,
           invoices,
           net_sales + CAST(round(CAST(consumer_sales AS DOUBLE) * 20 / 21) AS BIGINT) AS invoiced_sales
    FROM sold
),
declared AS (
    SELECT ban, period, CAST(SUM(sales_amount) AS BIGINT) AS declared_sales
    FROM tax.vat_return
    GROUP BY ban, period
)
SELECT i.seller_ban AS ban,
       t.name,
       i.period,
       i.invoices,
       i.invoiced_sales,
       d.declared_sales,
       i.invoiced_sales - d.declared_sales AS gap,
       round(CAST(i.invoiced_sales - d.declared_sales AS DOUBLE) * 100 / i.invoiced_sales, 2) AS gap_percent,
       CAST(round(CAST(i.invoiced_sales - d.declared_sales AS DOUBLE) * 0.05) AS BIGINT) AS tax_at_stake
FROM invoiced i
JOIN declared d ON d.ban = i.seller_ban AND d.period = i.period
LEFT JOIN tax.taxpayer t ON t.ban = i.seller_ban
WHERE i.invoiced_sales - d.declared_sales >= $minimum_gap
  AND i.invoiced_sales - d.declared_sales >= i.invoiced_sales * $minimum_share
ORDER BY gap DESC, i.seller_ban, i.period
