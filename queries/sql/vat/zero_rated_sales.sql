-- title: Zero-rated sales and excess input tax
-- question: Which exporters carry the largest excess of input tax, and do invoices support the zero-rated sales?
-- param: minimum_excess integer 10000 – smallest excess input tax listed, NT$
-- column: ban text – business
-- column: name text – its name
-- column: industry_code text – industry
-- column: periods integer – periods with zero-rated sales declared
-- column: declared_zero_rated integer – on the returns, NT$
-- column: invoiced_zero_rated integer – on invoices of tax kind 2, NT$
-- column: unsupported integer – declared less invoiced, NT$
-- column: excess_input_tax integer – input tax above output tax in these periods, NT$
-- portable: yes
WITH declared AS (
    SELECT ban,
           COUNT(DISTINCT period) AS periods,
           CAST(SUM(zero_rated_amount) AS BIGINT) AS declared_zero_rated,
           CAST(SUM(excess_input_tax) AS BIGINT) AS excess_input_tax
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
       d.excess_input_tax
FROM declared d
LEFT JOIN invoiced i ON i.seller_ban = d.ban
LEFT JOIN tax.taxpayer t ON t.ban = d.ban
WHERE d.excess_input_tax >= $minimum_excess
ORDER BY d.excess_input_tax DESC, d.ban
