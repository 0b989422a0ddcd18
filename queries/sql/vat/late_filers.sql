-- title: Late and missing VAT returns
-- question: Who files after the 15th of the month that follows the period, or not at all, and how often?
-- param: minimum_late_days integer 1 – days after the due date that count as late
-- param: minimum_times integer 2 – fewest late or missing returns listed
-- column: ban text – business
-- column: name text – its name
-- column: county_code text – county
-- column: late integer – returns filed late
-- column: missing integer – periods with invoices but no return
-- column: longest_delay integer – days; NULL when none was late
-- column: payable_late integer – tax payable on the late returns, NT$
-- column: invoiced_without_return integer – sales on invoices of the missing periods, NT$
-- portable: yes
WITH periods AS (
    SELECT period,
           CAST(concat(
               CAST(CAST(substr(period, 1, 3) AS BIGINT) + 1911
                    + CASE WHEN substr(period, 4, 2) = '12' THEN 1 ELSE 0 END AS VARCHAR),
               '-',
               lpad(CAST(CAST(substr(period, 4, 2) AS BIGINT) % 12 + 1 AS VARCHAR), 2, '0'),
               '-15') AS DATE) AS due_on
    FROM (SELECT DISTINCT period FROM tax.vat_return) known
),
delays AS (
    SELECT v.ban,
           v.tax_payable,
           CAST((EXTRACT(EPOCH FROM v.filed_on) - EXTRACT(EPOCH FROM p.due_on)) / 86400 AS BIGINT) AS days_late
    FROM tax.vat_return v
    JOIN periods p ON p.period = v.period
),
late AS (
    SELECT ban,
           COUNT(*) AS late,
           MAX(days_late) AS longest_delay,
           CAST(SUM(tax_payable) AS BIGINT) AS payable_late
    FROM delays
    WHERE days_late >= $minimum_late_days
    GROUP BY ban
),
missing AS (
    SELECT h.seller_ban AS ban,
           COUNT(DISTINCT h.period) AS missing,
           CAST(SUM(h.sales_amount) AS BIGINT) AS invoiced_without_return
    FROM invoice.header h
    JOIN periods p ON p.period = h.period
    LEFT JOIN (SELECT DISTINCT ban, period FROM tax.vat_return) v ON v.ban = h.seller_ban AND v.period = h.period
    WHERE v.ban IS NULL
    GROUP BY h.seller_ban
),
both_kinds AS (
    SELECT COALESCE(l.ban, m.ban) AS ban,
           COALESCE(l.late, 0) AS late,
           COALESCE(m.missing, 0) AS missing,
           l.longest_delay,
           COALESCE(l.payable_late, 0) AS payable_late,
           COALESCE(m.invoiced_without_return, 0) AS invoiced_without_return
    FROM late l
    FULL JOIN missing m ON m.ban = l.ban
)
SELECT b.ban,
       t.name,
       t.county_code,
       b.late,
       b.missing,
       b.longest_delay,
       b.payable_late,
       b.invoiced_without_return
FROM both_kinds b
LEFT JOIN tax.taxpayer t ON t.ban = b.ban
WHERE b.late + b.missing >= $minimum_times
ORDER BY b.missing DESC, b.late DESC, b.longest_delay DESC NULLS LAST, b.ban
