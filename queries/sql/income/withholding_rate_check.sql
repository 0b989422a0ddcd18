-- title: Payers who withheld too little
-- question: Which payers withheld less than the 10 percent due on fees above NT$20,000?
-- param: year integer 2025 – income year
-- param: minimum_payment integer 20000 – withholding is due on payments above this, NT$
-- param: rate decimal 0.10 – share to withhold
-- column: payer_ban text – payer
-- column: name text – its name
-- column: payments integer – payments of codes 9A and 9B above the limit with too little withheld
-- column: gross_amount integer – of these payments, NT$
-- column: withheld_amount integer – NT$
-- column: missing_amount integer – due less withheld, rounded down per payment, NT$
-- portable: yes
WITH due AS (
    SELECT payer_ban,
           gross_amount,
           withheld_amount,
           CAST(floor(gross_amount * $rate) AS BIGINT) AS due_amount
    FROM tax.withholding
    WHERE year = $year AND code IN ('9A', '9B') AND gross_amount > $minimum_payment
),
missing AS (
    SELECT payer_ban,
           COUNT(*) AS payments,
           CAST(SUM(gross_amount) AS BIGINT) AS gross_amount,
           CAST(SUM(withheld_amount) AS BIGINT) AS withheld_amount,
           CAST(SUM(due_amount - withheld_amount) AS BIGINT) AS missing_amount
    FROM due
    WHERE withheld_amount < due_amount - 1
    GROUP BY payer_ban
)
SELECT m.payer_ban, t.name, m.payments, m.gross_amount, m.withheld_amount, m.missing_amount
FROM missing m
LEFT JOIN tax.taxpayer t ON t.ban = m.payer_ban
ORDER BY m.missing_amount DESC, m.payer_ban
