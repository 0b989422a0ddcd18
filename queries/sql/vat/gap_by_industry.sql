-- title: VAT gap by industry
-- question: In which industries do returns fall short of the invoices?
-- param: first_period text 11302 – first two-month period
-- param: last_period text 11412 – last two-month period
-- column: industry_code text – industry
-- column: name_zh text – its name
-- column: sellers integer – businesses that issued taxable invoices
-- column: short_sellers integer – of these, with less declared than 98 percent of the invoices
-- column: invoiced_sales integer – taxable, without tax, NT$
-- column: declared_sales integer – on the returns; none counts as 0, NT$
-- column: gap integer – of the sellers that fall short, NT$
-- column: gap_percent double – of the industry's invoices, 2 decimals
-- portable: yes
WITH sold AS (
    SELECT seller_ban,
           period,
           CAST(SUM(CASE WHEN buyer_ban IS NULL THEN 0 ELSE sales_amount END) AS BIGINT) AS net_sales,
           CAST(SUM(CASE WHEN buyer_ban IS NULL THEN total_amount ELSE 0 END) AS BIGINT) AS consumer_sales
    FROM invoice.header
    WHERE tax_kind = '1' AND period BETWEEN $first_period AND $last_period
    GROUP BY seller_ban, period
),
invoiced AS (
    SELECT seller_ban,
           CAST(SUM(net_sales + CAST(round(CAST(consumer_sales AS DOUBLE) * 20 / 21) AS BIGINT)) AS BIGINT) AS invoiced_sales
    FROM sold
    GROUP BY seller_ban
),
declared AS (
    SELECT ban, CAST(SUM(sales_amount) AS BIGINT) AS declared_sales
    FROM tax.vat_return
    WHERE period BETWEEN $first_period AND $last_period
    GROUP BY ban
),
compared AS (
    SELECT t.industry_code,
           i.invoiced_sales,
           COALESCE(d.declared_sales, 0) AS declared_sales,
           COALESCE(d.declared_sales, 0) * 100 < i.invoiced_sales * 98 AS short
    FROM invoiced i
    JOIN tax.taxpayer t ON t.ban = i.seller_ban
    LEFT JOIN declared d ON d.ban = i.seller_ban
)
SELECT c.industry_code,
       n.name_zh,
       COUNT(*) AS sellers,
       COUNT(*) FILTER (WHERE c.short) AS short_sellers,
       CAST(SUM(c.invoiced_sales) AS BIGINT) AS invoiced_sales,
       CAST(SUM(c.declared_sales) AS BIGINT) AS declared_sales,
       CAST(SUM(CASE WHEN c.short THEN c.invoiced_sales - c.declared_sales ELSE 0 END) AS BIGINT) AS gap,
       round(CAST(SUM(CASE WHEN c.short THEN c.invoiced_sales - c.declared_sales ELSE 0 END) AS DOUBLE) * 100
             / SUM(c.invoiced_sales), 2) AS gap_percent
FROM compared c
LEFT JOIN ref.industry n ON n.industry_code = c.industry_code
GROUP BY c.industry_code, n.name_zh
ORDER BY gap DESC, c.industry_code
