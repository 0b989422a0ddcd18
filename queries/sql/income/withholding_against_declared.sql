-- title: Creator income reported by payers, against declared
-- question: Who declared less creator income than payers reported having paid?
-- param: year integer 2025 – income year
-- param: minimum_gap integer 10000 – smallest difference listed, NT$
-- column: taxpayer_id text – taxpayer
-- column: bureau_code text – bureau of the return; of the latest payment where there is none
-- column: payers integer – businesses that paid
-- column: payments integer – statements
-- column: reported integer – gross under codes 9A, 9B and 92, NT$
-- column: declared integer – creator income declared; 0 without a return, NT$
-- column: has_return boolean – a return was filed
-- column: gap integer – reported less declared, NT$
-- portable: yes
WITH reported AS (
    SELECT payee_id,
           MAX(bureau_code) AS bureau_code,
           COUNT(DISTINCT payer_ban) AS payers,
           COUNT(*) AS payments,
           CAST(SUM(gross_amount) AS BIGINT) AS reported
    FROM tax.withholding
    WHERE year = $year AND code IN ('9A', '9B', '92')
    GROUP BY payee_id
),
declared AS (
    SELECT taxpayer_id,
           MAX(bureau_code) AS bureau_code,
           CAST(SUM(declared_creator_income) AS BIGINT) AS declared
    FROM tax.income_return
    WHERE year = $year
    GROUP BY taxpayer_id
)
SELECT r.payee_id AS taxpayer_id,
       COALESCE(d.bureau_code, r.bureau_code) AS bureau_code,
       r.payers,
       r.payments,
       r.reported,
       COALESCE(d.declared, 0) AS declared,
       d.taxpayer_id IS NOT NULL AS has_return,
       r.reported - COALESCE(d.declared, 0) AS gap
FROM reported r
LEFT JOIN declared d ON d.taxpayer_id = r.payee_id
WHERE r.reported - COALESCE(d.declared, 0) >= $minimum_gap
ORDER BY gap DESC, r.payee_id
