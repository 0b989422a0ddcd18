-- title: Large fees without withholding
-- question: Which payers paid fees above the withholding limit and withheld nothing or too little?
-- param: year integer 2025 – income year
-- param: limit integer 20000 – withholding is due on payments above this, NT$
-- param: rate decimal 0.10 – share to withhold from professional and writing fees
-- column: payer_ban text – payer
-- column: name text – its name
-- column: code text – income code; fees booked as other income (92) escape withholding
-- column: payees integer – people paid
-- column: payments integer – payments above the limit with less than the share withheld
-- column: gross_amount integer – of these payments, NT$
-- column: withheld_amount integer – NT$
-- column: not_withheld integer – the share of each payment, rounded down, less what was withheld, NT$
-- portable: yes
WITH due AS (
    SELECT payer_ban,
           code,
           payee_id,
           gross_amount,
           withheld_amount,
           CAST(floor(gross_amount * $rate) AS BIGINT) AS due_amount
    FROM tax.withholding
    WHERE year = $year AND code IN ('9A', '9B', '92') AND gross_amount > $limit
),
summed AS (
    SELECT payer_ban,
           code,
           COUNT(DISTINCT payee_id) AS payees,
           COUNT(*) AS payments,
           CAST(SUM(gross_amount) AS BIGINT) AS gross_amount,
           CAST(SUM(withheld_amount) AS BIGINT) AS withheld_amount,
           CAST(SUM(due_amount - withheld_amount) AS BIGINT) AS not_withheld
    FROM due
    WHERE withheld_amount < due_amount
    GROUP BY payer_ban, code
)
SELECT s.payer_ban, t.name, s.code, s.payees, s.payments, s.gross_amount, s.withheld_amount, s.not_withheld
FROM summed s
LEFT JOIN tax.taxpayer t ON t.ban = s.payer_ban
ORDER BY s.not_withheld DESC, s.payer_ban, s.code
