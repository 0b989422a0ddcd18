-- title: Identifiers with a wrong check digit
-- question: In which columns do business numbers, national identifiers and invoice numbers fail their check?
-- column: source text – table and column
-- column: rows_checked integer – rows with a value
-- column: invalid integer – rows whose value fails
-- column: invalid_percent double – 4 decimals
-- column: example text – the smallest value that fails
-- portable: no
WITH checked AS (
    SELECT 'tax.taxpayer.ban' AS source, ban AS value, ban_valid(ban) AS valid FROM tax.taxpayer
    UNION ALL
    SELECT 'tax.taxpayer.national_id', national_id, tw_id_valid(national_id) FROM tax.taxpayer
    UNION ALL
    SELECT 'invoice.header.invoice_number', invoice_number, einvoice_number_valid(invoice_number) FROM invoice.header
    UNION ALL
    SELECT 'invoice.header.seller_ban', seller_ban, ban_valid(seller_ban) FROM invoice.header
    UNION ALL
    SELECT 'invoice.header.buyer_ban', buyer_ban, ban_valid(buyer_ban) FROM invoice.header
    UNION ALL
    SELECT 'tax.withholding.payer_ban', payer_ban, ban_valid(payer_ban) FROM tax.withholding
)
SELECT source,
       COUNT(*) AS rows_checked,
       COUNT(*) FILTER (WHERE NOT valid) AS invalid,
       round(CAST(COUNT(*) FILTER (WHERE NOT valid) AS DOUBLE) * 100 / COUNT(*), 4) AS invalid_percent,
       MIN(CASE WHEN NOT valid THEN value END) AS example
FROM checked
WHERE value IS NOT NULL
GROUP BY source
ORDER BY invalid DESC, source
