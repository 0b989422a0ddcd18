-- title: Invoice amounts that break the rules
-- question: Where does an invoice contradict itself: total, tax rate, tax kind, date and period?
-- column: rule text – what is broken
-- column: invoices integer – how many invoices break it
-- column: sellers integer – sellers of these invoices
-- column: total_amount integer – of these invoices, NT$
-- column: first_invoice text – the smallest period and number among them; NULL where the rule holds
-- portable: yes
WITH checked AS (
    SELECT period,
           invoice_number,
           seller_ban,
           total_amount,
           sales_amount + tax_amount <> total_amount AS total_wrong,
           buyer_ban IS NOT NULL AND tax_kind = '1'
               AND abs(tax_amount * 100 - sales_amount * 5) > 50 AS rate_wrong,
           buyer_ban IS NULL AND tax_amount <> 0 AS consumer_tax,
           tax_kind IN ('2', '3') AND tax_amount <> 0 AS untaxed_with_tax,
           total_amount <= 0 AS not_positive,
           CAST((EXTRACT(YEAR FROM invoice_date) - 1911) * 100
                + EXTRACT(MONTH FROM invoice_date)
                + EXTRACT(MONTH FROM invoice_date) % 2 AS BIGINT) <> CAST(period AS BIGINT) AS period_wrong,
           buyer_ban = seller_ban AS own_invoice
    FROM invoice.header
),
broken AS (
    SELECT 'sales and tax do not add up to the total' AS rule, period, invoice_number, seller_ban, total_amount
    FROM checked WHERE total_wrong
    UNION ALL
    SELECT 'tax is not 5 percent of sales', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE rate_wrong
    UNION ALL
    SELECT 'consumer invoice shows tax apart', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE consumer_tax
    UNION ALL
    SELECT 'zero-rated or exempt, but with tax', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE untaxed_with_tax
    UNION ALL
    SELECT 'total is not positive', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE not_positive
    UNION ALL
    SELECT 'date lies outside the period', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE period_wrong
    UNION ALL
    SELECT 'seller is the buyer', period, invoice_number, seller_ban, total_amount
    FROM checked WHERE own_invoice
),
rules AS (
    SELECT 'sales and tax do not add up to the total' AS rule
    UNION ALL SELECT 'tax is not 5 percent of sales'
    UNION ALL SELECT 'consumer invoice shows tax apart'
    UNION ALL SELECT 'zero-rated or exempt, but with tax'
    UNION ALL SELECT 'total is not positive'
    UNION ALL SELECT 'date lies outside the period'
    UNION ALL SELECT 'seller is the buyer'
)
SELECT r.rule,
       COUNT(b.invoice_number) AS invoices,
       COUNT(DISTINCT b.seller_ban) AS sellers,
       CAST(COALESCE(SUM(b.total_amount), 0) AS BIGINT) AS total_amount,
       MIN(CASE WHEN b.rule IS NOT NULL THEN concat(b.period, ' ', b.invoice_number) END) AS first_invoice
FROM rules r
LEFT JOIN broken b ON b.rule = r.rule
GROUP BY r.rule
ORDER BY invoices DESC, r.rule
