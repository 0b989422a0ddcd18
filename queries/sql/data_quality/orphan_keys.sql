-- title: Keys that point nowhere
-- question: How many rows name a taxpayer, county or invoice that is not registered?
-- column: child text – table and column that point
-- column: parent text – table and column they should find
-- column: rows_checked integer – rows with a key
-- column: orphans integer – rows whose key is not found
-- column: example text – the smallest key not found
-- portable: yes
WITH keys AS (
    SELECT 'invoice.header.seller_ban' AS child, 'tax.taxpayer.ban' AS parent,
           COUNT(*) AS rows_checked, COUNT(*) FILTER (WHERE p.key IS NULL) AS orphans,
           MIN(CASE WHEN p.key IS NULL THEN h.seller_ban END) AS example
    FROM invoice.header h
    LEFT JOIN (SELECT DISTINCT ban AS key FROM tax.taxpayer) p ON p.key = h.seller_ban
    UNION ALL
    SELECT 'invoice.header.buyer_ban', 'tax.taxpayer.ban',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN h.buyer_ban END)
    FROM invoice.header h
    LEFT JOIN (SELECT DISTINCT ban AS key FROM tax.taxpayer) p ON p.key = h.buyer_ban
    WHERE h.buyer_ban IS NOT NULL
    UNION ALL
    SELECT 'invoice.item.invoice_number', 'invoice.header.invoice_number',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN i.invoice_number END)
    FROM invoice.item i
    LEFT JOIN (SELECT DISTINCT period, invoice_number AS key FROM invoice.header) p
        ON p.period = i.period AND p.key = i.invoice_number
    UNION ALL
    SELECT 'tax.vat_return.ban', 'tax.taxpayer.ban',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN v.ban END)
    FROM tax.vat_return v
    LEFT JOIN (SELECT DISTINCT ban AS key FROM tax.taxpayer) p ON p.key = v.ban
    UNION ALL
    SELECT 'tax.withholding.payee_id', 'tax.taxpayer.taxpayer_id',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN w.payee_id END)
    FROM tax.withholding w
    LEFT JOIN (SELECT DISTINCT taxpayer_id AS key FROM tax.taxpayer) p ON p.key = w.payee_id
    UNION ALL
    SELECT 'tax.withholding.payer_ban', 'tax.taxpayer.ban',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN w.payer_ban END)
    FROM tax.withholding w
    LEFT JOIN (SELECT DISTINCT ban AS key FROM tax.taxpayer) p ON p.key = w.payer_ban
    UNION ALL
    SELECT 'tax.income_return.taxpayer_id', 'tax.taxpayer.taxpayer_id',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN r.taxpayer_id END)
    FROM tax.income_return r
    LEFT JOIN (SELECT DISTINCT taxpayer_id AS key FROM tax.taxpayer) p ON p.key = r.taxpayer_id
    UNION ALL
    SELECT 'tax.payment.taxpayer_id', 'tax.taxpayer.taxpayer_id',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN y.taxpayer_id END)
    FROM tax.payment y
    LEFT JOIN (SELECT DISTINCT taxpayer_id AS key FROM tax.taxpayer) p ON p.key = y.taxpayer_id
    UNION ALL
    SELECT 'third_party.remittance.payee_id', 'tax.taxpayer.taxpayer_id',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN m.payee_id END)
    FROM third_party.remittance m
    LEFT JOIN (SELECT DISTINCT taxpayer_id AS key FROM tax.taxpayer) p ON p.key = m.payee_id
    UNION ALL
    SELECT 'tax.taxpayer.county_code', 'ref.county.county_code',
           COUNT(*), COUNT(*) FILTER (WHERE p.key IS NULL),
           MIN(CASE WHEN p.key IS NULL THEN x.county_code END)
    FROM tax.taxpayer x
    LEFT JOIN (SELECT DISTINCT county_code AS key FROM ref.county) p ON p.key = x.county_code
)
SELECT child, parent, rows_checked, orphans, example
FROM keys
ORDER BY orphans DESC, child
