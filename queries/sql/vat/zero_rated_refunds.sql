-- title: Zero-rated sales and refunds
-- question: Who declares zero-rated sales that no zero-rated invoice supports?
-- param: minimum_gap integer 50000 – smallest unsupported amount listed, NT$
-- column: ban text – business
-- column: name text – its name
-- column: industry_code text – industry
-- column: periods integer – periods with zero-rated sales declared
-- column: declared_zero_rated integer – on the returns, NT$
-- column: invoiced_zero_rated integer – on invoices of tax kind 2, NT$
-- column: unsupported integer – declared less invoiced, NT$
-- column: refunds integer – negative tax payable of these periods, NT$
-- portable: yes
WITH declared AS (
    SELECT ban,
           COUNT(DISTINCT period) AS periods,
           CAST(SUM(zero_rated_amount) AS BIGINT) AS declared_zero_rated,
           CAST(SUM(CASE WHEN tax_payable < 0 THEN -tax_payable ELSE 0 END) AS BIGINT) AS refunds
    FROM tax.vat_return
    WHERE zero_rated_amount > 0
    GROUP BY ban
),
invoiced AS (
    SELECT seller_ban, CAST(SUM(sales_amount) AS BIGINT) AS invoiced_zero_rated
    FROM invoice.header
    WHERE tax_kind = '2'
    GROUP BY seller_ban
)
SELECT d.ban,
       t.name,
       t.industry_code,
       d.periods,
       d.declared_zero_rated,
       COALESCE(i.invoiced_zero_rated, 0) AS invoiced_zero_rated,
       d.declared_zero_rated - COALESCE(i.invoiced_zero_rated, 0) AS unsupported,
       d.refunds
FROM declared d
LEFT JOIN invoiced i ON i.seller_ban = d.ban
LEFT JOIN tax.taxpayer t ON t.ban = d.ban
WHERE d.declared_zero_rated - COALESCE(i.invoiced_zero_rated, 0) >= $minimum_gap
ORDER BY unsupported DESC, d.ban
