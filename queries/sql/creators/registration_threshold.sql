-- title: Creators above the registration threshold
-- question: Whose monthly sales probably reach the NT$50,000 for VAT registration or the NT$200,000 for invoices?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- param: minimum_probability decimal 0.8 – smallest probability of reaching NT$50,000 in some month
-- column: channel_id text – channel
-- column: title text – its name
-- column: taxpayer_id text – taxpayer linked to it; NULL where none is
-- column: vat_registered boolean – that taxpayer has a business number; NULL without a link
-- column: p_month_50k double – probability that the highest month reaches NT$50,000, 3 decimals
-- column: p_month_200k double – probability that it reaches NT$200,000, 3 decimals
-- column: p50 integer – median of the year's gross receipts, NT$
-- column: flags text – what to know before relying on it
-- with: creators/links
-- with: creators/estimates
-- portable: no
SELECT e.channel_id,
       e.title,
       e.taxpayer_id,
       CASE WHEN e.taxpayer_id IS NOT NULL THEN t.ban IS NOT NULL END AS vat_registered,
       round(e.income['p_month_50k'], 3) AS p_month_50k,
       round(e.income['p_month_200k'], 3) AS p_month_200k,
       CAST(round(e.income['p50']) AS BIGINT) AS p50,
       array_to_string(e.income['flags'], ', ') AS flags
FROM estimated e
LEFT JOIN tax.taxpayer t ON t.taxpayer_id = e.taxpayer_id
WHERE e.income['p_month_50k'] >= $minimum_probability
ORDER BY p_month_200k DESC, p_month_50k DESC, e.channel_id
