-- title: Money from foreign platforms, against declared
-- question: Who received more from foreign platforms than the creator income declared?
-- param: year integer 2025 – income year
-- param: minimum_gap integer 10000 – smallest difference listed, NT$
-- column: taxpayer_id text – taxpayer
-- column: platforms integer – different platforms
-- column: remittances integer – credits received
-- column: received integer – NT$
-- column: declared integer – creator income declared, NT$
-- column: gap integer – received less declared, NT$
-- portable: yes
WITH received AS (
    SELECT payee_id,
           COUNT(DISTINCT platform) AS platforms,
           COUNT(*) AS remittances,
           CAST(SUM(amount_twd) AS BIGINT) AS received
    FROM third_party.remittance
    WHERE EXTRACT(YEAR FROM received_on) = $year
    GROUP BY payee_id
),
declared AS (
    SELECT taxpayer_id, CAST(SUM(declared_creator_income) AS BIGINT) AS declared
    FROM tax.income_return
    WHERE year = $year
    GROUP BY taxpayer_id
)
SELECT r.payee_id AS taxpayer_id,
       r.platforms,
       r.remittances,
       r.received,
       d.declared,
       r.received - d.declared AS gap
FROM received r
JOIN declared d ON d.taxpayer_id = r.payee_id
WHERE r.received - d.declared >= $minimum_gap
ORDER BY gap DESC, r.payee_id
