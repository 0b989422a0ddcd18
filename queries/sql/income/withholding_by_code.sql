-- title: Withholding by income code
-- question: How much was paid and withheld under each income code, and at what rate?
-- param: year integer 2025 – income year
-- column: code text – income code: 50 salary, 9A professional practice, 9B writing and lectures, 92 other
-- column: payers integer – businesses that paid
-- column: payees integer – people paid
-- column: payments integer – statements
-- column: gross_amount integer – NT$
-- column: withheld_amount integer – NT$
-- column: rate_percent double – withheld of gross, 2 decimals
-- portable: yes
SELECT code,
       COUNT(DISTINCT payer_ban) AS payers,
       COUNT(DISTINCT payee_id) AS payees,
       COUNT(*) AS payments,
       CAST(SUM(gross_amount) AS BIGINT) AS gross_amount,
       CAST(SUM(withheld_amount) AS BIGINT) AS withheld_amount,
       CASE WHEN SUM(gross_amount) > 0
            THEN round(CAST(SUM(withheld_amount) AS DOUBLE) * 100 / SUM(gross_amount), 2)
       END AS rate_percent
FROM tax.withholding
WHERE year = $year
GROUP BY code
ORDER BY gross_amount DESC, code
