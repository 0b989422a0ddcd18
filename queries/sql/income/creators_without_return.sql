-- title: Creator income without a return
-- question: Who received creator fees, money from foreign platforms or platform sales, and filed no income return?
-- param: year integer 2025 – income year
-- param: minimum_income integer 100000 – smallest income listed, NT$
-- column: taxpayer_id text – taxpayer
-- column: county_code text – county of residence
-- column: withheld_fees integer – paid under codes 9A, 9B and 92, NT$
-- column: remittances integer – from foreign platforms, NT$
-- column: sources integer – kinds of evidence, 1 or 2
-- column: known_income integer – both together, NT$
-- portable: yes
WITH evidence AS (
    SELECT payee_id, 'withholding' AS source, CAST(SUM(gross_amount) AS BIGINT) AS amount
    FROM tax.withholding
    WHERE year = $year AND code IN ('9A', '9B', '92')
    GROUP BY payee_id
    UNION ALL
    SELECT payee_id, 'remittance', CAST(SUM(amount_twd) AS BIGINT)
    FROM third_party.remittance
    WHERE EXTRACT(YEAR FROM received_on) = $year
    GROUP BY payee_id
),
known AS (
    SELECT payee_id,
           CAST(SUM(CASE WHEN source = 'withholding' THEN amount ELSE 0 END) AS BIGINT) AS withheld_fees,
           CAST(SUM(CASE WHEN source = 'remittance' THEN amount ELSE 0 END) AS BIGINT) AS remittances,
           COUNT(*) AS sources,
           CAST(SUM(amount) AS BIGINT) AS known_income
    FROM evidence
    GROUP BY payee_id
)
SELECT k.payee_id AS taxpayer_id,
       t.county_code,
       k.withheld_fees,
       k.remittances,
       k.sources,
       k.known_income
FROM known k
LEFT JOIN tax.taxpayer t ON t.taxpayer_id = k.payee_id
WHERE k.known_income >= $minimum_income
  AND NOT EXISTS (SELECT 1 FROM tax.income_return r WHERE r.taxpayer_id = k.payee_id AND r.year = $year)
ORDER BY k.known_income DESC, k.payee_id
