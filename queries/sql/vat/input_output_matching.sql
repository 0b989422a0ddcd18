-- title: Input tax claimed against invoices received
-- question: Who deducts input tax that no invoice carries, or that the supplier never declared?
-- param: minimum_excess integer 5000 – smallest unsupported input tax listed, NT$
-- column: ban text – business
-- column: name text – its name
-- column: period text – two-month period
-- column: suppliers integer – sellers with invoices to it
-- column: invoiced_input_tax integer – tax on invoices received, NT$
-- column: claimed_input_tax integer – deducted on the return, NT$
-- column: excess integer – claimed less invoiced, NT$
-- column: unreported_by_suppliers integer – tax on invoices whose seller filed no return for the period, NT$
-- column: unsupported integer – excess, where there is one, and tax unreported by suppliers, NT$
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
),
compared AS (
    SELECT c.ban,
           c.period,
           COALESCE(r.suppliers, 0) AS suppliers,
           COALESCE(r.invoiced_input_tax, 0) AS invoiced_input_tax,
           c.claimed_input_tax,
           c.claimed_input_tax - COALESCE(r.invoiced_input_tax, 0) AS excess,
           COALESCE(r.unreported_by_suppliers, 0) AS unreported_by_suppliers,
           greatest(c.claimed_input_tax - COALESCE(r.invoiced_input_tax, 0), 0)
               + least(COALESCE(r.unreported_by_suppliers, 0), c.claimed_input_tax) AS unsupported
    FROM claimed c
    LEFT JOIN received r ON r.buyer_ban = c.ban AND r.period = c.period
)
SELECT c.ban,
       t.name,
       c.period,
       c.suppliers,
       c.invoiced_input_tax,
       c.claimed_input_tax,
       c.excess,
       c.unreported_by_suppliers,
       c.unsupported
FROM compared c
LEFT JOIN tax.taxpayer t ON t.ban = c.ban
WHERE c.unsupported >= $minimum_excess
ORDER BY c.unsupported DESC, c.ban, c.period
