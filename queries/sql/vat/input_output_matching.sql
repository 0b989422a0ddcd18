-- title: Input tax claimed against invoices received
-- question: Who deducts more input tax than other businesses' invoices to them carry?
-- param: minimum_excess integer 5000 – smallest excess listed, NT$
-- param: minimum_share decimal 0.05 – smallest excess listed, as a share of the tax on invoices received
-- column: ban text – business
-- column: name text – its name
-- column: period text – two-month period
-- column: suppliers integer – sellers with invoices to it
-- column: invoiced_input_tax integer – tax on invoices received, NT$
-- column: claimed_input_tax integer – deducted on the return, NT$
-- column: excess integer – claimed less invoiced, NT$
-- column: unreported_by_suppliers integer – tax on invoices whose seller filed no return for the period, NT$
-- portable: yes
WITH received AS (
    SELECT h.buyer_ban,
           h.period,
           COUNT(DISTINCT h.seller_ban) AS suppliers,
           CAST(SUM(h.tax_amount) AS BIGINT) AS invoiced_input_tax,
           CAST(SUM(CASE WHEN f.ban IS NULL THEN h.tax_amount ELSE 0 END) AS BIGINT) AS unreported_by_suppliers
    FROM invoice.header h
    LEFT JOIN (SELECT DISTINCT ban, period FROM tax.vat_return) f ON f.ban = h.seller_ban AND f.period = h.period
    WHERE h.buyer_ban IS NOT NULL
    GROUP BY h.buyer_ban, h.period
),
claimed AS (
    SELECT ban, period, CAST(SUM(input_tax) AS BIGINT) AS claimed_input_tax
    FROM tax.vat_return
    GROUP BY ban, period
)
SELECT c.ban,
       t.name,
       c.period,
       COALESCE(r.suppliers, 0) AS suppliers,
       COALESCE(r.invoiced_input_tax, 0) AS invoiced_input_tax,
       c.claimed_input_tax,
       c.claimed_input_tax - COALESCE(r.invoiced_input_tax, 0) AS excess,
       COALESCE(r.unreported_by_suppliers, 0) AS unreported_by_suppliers
FROM claimed c
LEFT JOIN received r ON r.buyer_ban = c.ban AND r.period = c.period
LEFT JOIN tax.taxpayer t ON t.ban = c.ban
WHERE c.claimed_input_tax - COALESCE(r.invoiced_input_tax, 0) >= $minimum_excess
  AND c.claimed_input_tax - COALESCE(r.invoiced_input_tax, 0) >= COALESCE(r.invoiced_input_tax, 0) * $minimum_share
ORDER BY excess DESC, c.ban, c.period
