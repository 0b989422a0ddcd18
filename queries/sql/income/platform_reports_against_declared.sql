-- title: Platform reports against declared
-- question: Which sellers that platforms report declared less creator income than the platforms paid them?
-- param: year integer 2025 – income year
-- param: minimum_gap integer 10000 – smallest difference listed, NT$
-- column: taxpayer_id text – taxpayer whose identifier the platform gave; NULL where none has it
-- column: seller_tin text – identifier as reported
-- column: platforms integer – platforms that report the seller
-- column: quarters integer – quarters reported
-- column: activities integer – sales or services counted
-- column: consideration integer – paid by the platforms, NT$
-- column: declared integer – creator income declared; 0 without a return, NT$
-- column: gap integer – paid less declared, NT$
-- portable: yes
WITH reported AS (
    SELECT seller_tin,
           COUNT(DISTINCT platform) AS platforms,
           COUNT(DISTINCT quarter) AS quarters,
           CAST(SUM(activities) AS BIGINT) AS activities,
           CAST(SUM(consideration_twd) AS BIGINT) AS consideration
    FROM third_party.platform_report
    WHERE year = $year
    GROUP BY seller_tin
),
declared AS (
    SELECT taxpayer_id, CAST(SUM(declared_creator_income) AS BIGINT) AS declared
    FROM tax.income_return
    WHERE year = $year
    GROUP BY taxpayer_id
)
SELECT t.taxpayer_id,
       r.seller_tin,
       r.platforms,
       r.quarters,
       r.activities,
       r.consideration,
       COALESCE(d.declared, 0) AS declared,
       r.consideration - COALESCE(d.declared, 0) AS gap
FROM reported r
LEFT JOIN tax.taxpayer t ON COALESCE(t.national_id, t.ban) = r.seller_tin
LEFT JOIN declared d ON d.taxpayer_id = t.taxpayer_id
WHERE r.consideration - COALESCE(d.declared, 0) >= $minimum_gap
ORDER BY gap DESC, r.seller_tin, t.taxpayer_id
