-- title: Creators' case list
-- question: Whose estimated income is furthest above what was declared, how sure is that, and why?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- param: minimum_undeclared integer 50000 – smallest expected undeclared income listed, NT$
-- param: include_prior_dominated boolean false – list cases whose range rests on the prior, not on evidence
-- column: rank integer – by expected undeclared income
-- column: taxpayer_id text – taxpayer linked to the channel
-- column: channel_id text – channel
-- column: title text – its name
-- column: p10 integer – gross receipts of the year, 10 % quantile, NT$
-- column: p50 integer – median, NT$
-- column: p90 integer – 90 % quantile, NT$
-- column: declared integer – creator income declared; 0 without a return, NT$
-- column: expected_undeclared integer – mean of receipts beyond the declared amount, NT$
-- column: undeclared_p10 integer – its 10 % quantile, NT$
-- column: undeclared_p90 integer – its 90 % quantile, NT$
-- column: evidence text – what the estimate rests on
-- column: flags text – what to know before relying on it
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH cases AS (
    SELECT taxpayer_id,
           channel_id,
           title,
           CAST(round(income['p10']) AS BIGINT) AS p10,
           CAST(round(income['p50']) AS BIGINT) AS p50,
           CAST(round(income['p90']) AS BIGINT) AS p90,
           declared,
           CAST(round(income['undeclared_mean']) AS BIGINT) AS expected_undeclared,
           CAST(round(income['undeclared_p10']) AS BIGINT) AS undeclared_p10,
           CAST(round(income['undeclared_p90']) AS BIGINT) AS undeclared_p90,
           concat(
               CAST(reported_deals AS VARCHAR), ' payments reported (NT$', CAST(reported_amount AS VARCHAR), ')',
               CASE WHEN remittance IS NOT NULL
                    THEN concat('; remitted from abroad NT$', CAST(remittance AS VARCHAR)) ELSE '' END,
               '; ', CAST(sponsored_documents AS VARCHAR), ' of ', CAST(documents AS VARCHAR), ' posts look sponsored',
               '; ', CAST(annual_views AS VARCHAR), ' views',
               CASE WHEN group_buy_signal THEN '; group buys' ELSE '' END,
               CASE WHEN donation_signal THEN '; donations' ELSE '' END,
               '; link score ', CAST(link_score AS VARCHAR)
           ) AS evidence,
           array_to_string(income['flags'], ', ') AS flags,
           array_has(income['flags'], 'prior_dominated') AS prior_dominated
    FROM estimated
    WHERE taxpayer_id IS NOT NULL AND income['p50'] IS NOT NULL
)
SELECT CAST(ROW_NUMBER() OVER (ORDER BY expected_undeclared DESC, channel_id) AS BIGINT) AS rank,
       taxpayer_id,
       channel_id,
       title,
       p10,
       p50,
       p90,
       declared,
       expected_undeclared,
       undeclared_p10,
       undeclared_p90,
       evidence,
       flags
FROM cases
WHERE expected_undeclared >= $minimum_undeclared AND ($include_prior_dominated OR NOT prior_dominated)
ORDER BY rank
