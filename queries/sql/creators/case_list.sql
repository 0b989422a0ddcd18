-- title: Creators' case list
-- question: Whose estimated income is furthest above what was declared, how sure is that, and why?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- param: minimum_undeclared integer 50000 – smallest expected undeclared income listed, NT$
-- param: include_prior_dominated boolean false – list cases whose range rests on the prior, not on evidence
-- param: include_candidates boolean false – list channels whose owner is only a candidate
-- column: rank integer – by expected undeclared income
-- column: taxpayer_id text – taxpayer linked to the channel
-- column: link_status text – linked: two strong keys; candidate: fewer, or payers alone against other evidence, so ask who owns the channel first
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
-- column: ask_first text – the first question; creators/evidence has the rest
-- column: flags text – what to know before relying on it
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH cases AS (
    SELECT taxpayer_id,
           link_status,
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
               CASE WHEN reported_deals = 0 THEN 'No payer reported a payment'
                    ELSE concat(CAST(reported_deals AS VARCHAR), ' payments reported by payers, NT$', CAST(reported_amount AS VARCHAR))
               END,
               CASE WHEN remittance IS NOT NULL
                    THEN concat('; platforms remitted NT$', CAST(remittance AS VARCHAR), ' from abroad') ELSE '' END,
               '; ', CAST(sponsored_documents AS VARCHAR), ' of ', CAST(documents AS VARCHAR), ' posts look sponsored; ',
               COALESCE(CAST(annual_views AS VARCHAR), 'unknown'), ' views of long videos',
               CASE WHEN group_buy_signal THEN '; announces group buys' ELSE '' END,
               CASE WHEN donation_signal THEN '; asks for donations' ELSE '' END,
               '; owner by ', link_reasons
           ) AS evidence,
           CASE WHEN link_status = 'candidate'
                THEN concat('Who owns the channel? ',
                            CASE WHEN strong_keys >= 2 THEN 'Payers alone name this taxpayer' ELSE 'Fewer than two strong keys agree' END,
                            CASE WHEN against_link IS NOT NULL THEN concat(', and ', against_link) ELSE '' END)
                WHEN against_link IS NOT NULL
                THEN concat('Is the channel this taxpayer''s? Two strong keys agree, yet ', against_link)
                WHEN array_has(income['flags'], 'conflicting_evidence')
                THEN 'Are the payments and remittances this channel''s? They hardly fit its audience and posts'
                WHEN declared < reported_amount
                THEN concat('Payers reported NT$', CAST(reported_amount - declared AS VARCHAR),
                            ' more than was declared: which of their statements does the return contain?')
                WHEN declared < remittance
                THEN concat('Platforms alone remitted NT$', CAST(remittance - declared AS VARCHAR),
                            ' more than was declared: under which income was it declared?')
                WHEN declared = 0 THEN 'No creator income was declared: was it under another kind of income, or by a company?'
                WHEN sponsored_documents > reported_deals
                THEN concat(CAST(sponsored_documents AS VARCHAR), ' posts look sponsored and ', CAST(reported_deals AS VARCHAR),
                            ' payments were reported: what was agreed for the others, in money or in kind?')
                WHEN group_buy_signal THEN 'What did the group buys of the year sell, and what commission came of it?'
                WHEN donation_signal THEN 'What came in as donations and memberships, and through whom?'
                ELSE 'Which receipts does the declared amount contain?'
           END AS ask_first,
           array_to_string(income['flags'], ', ') AS flags,
           array_has(income['flags'], 'prior_dominated') AS prior_dominated
    FROM estimated
    WHERE income['p50'] IS NOT NULL AND (link_status = 'linked' OR $include_candidates AND link_status = 'candidate')
)
SELECT CAST(ROW_NUMBER() OVER (ORDER BY expected_undeclared DESC, channel_id) AS BIGINT) AS rank,
       taxpayer_id,
       link_status,
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
       ask_first,
       flags
FROM cases
WHERE expected_undeclared >= $minimum_undeclared AND ($include_prior_dominated OR NOT prior_dominated)
ORDER BY rank
