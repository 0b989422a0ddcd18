-- title: Creators' estimates of a year
-- question: What did each creator probably receive in the year, from what, how much of it is taxable and undeclared, and what says so?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- column: channel_id text – channel; those of minors are not estimated and not listed
-- column: year integer – income year
-- column: taxpayer_id text – taxpayer linked to it; NULL where none is
-- column: p10 integer – gross receipts of the year, 10 % quantile, NT$
-- column: p50 integer – their median, NT$
-- column: p90 integer – their 90 % quantile, NT$
-- column: ads integer – expected advertising shares, NT$
-- column: sponsorship integer – expected sponsorship, NT$
-- column: donations integer – expected donations and memberships, NT$
-- column: group_buy integer – expected group buys and affiliate commissions, NT$
-- column: other integer – expected rest, NT$
-- column: taxable_p50 integer – median of income after contribution rules and the standard expense rate, NT$
-- column: expected_undeclared integer – expected receipts beyond the declared, NT$; NULL without a link
-- column: p_month_50k double – probability that the highest month reaches NT$50,000, 3 decimals
-- column: p_month_200k double – probability that it reaches NT$200,000, 3 decimals
-- column: contributions text – what each kind of evidence moves the median by, NT$, largest first
-- column: flags text – what to know before relying on it
-- column: prior_version text – version of the assumptions
-- column: seed integer – seed of the draws
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH explained AS (
    SELECT channel_id,
           taxpayer_id,
           influencer_income(known, draws => $draws, seed => $seed, explain => true) AS income
    FROM observed
),
-- Every estimate has evidence that contributes, so none is lost here but those of minors.
pieces AS (
    SELECT channel_id,
           taxpayer_id,
           CAST(round(income['p10']) AS BIGINT) AS p10,
           CAST(round(income['p50']) AS BIGINT) AS p50,
           CAST(round(income['p90']) AS BIGINT) AS p90,
           CAST(round(income['components']['ads']['mean']) AS BIGINT) AS ads,
           CAST(round(income['components']['sponsorship']['mean']) AS BIGINT) AS sponsorship,
           CAST(round(income['components']['donations']['mean']) AS BIGINT) AS donations,
           CAST(round(income['components']['group_buy']['mean']) AS BIGINT) AS group_buy,
           CAST(round(income['components']['other']['mean']) AS BIGINT) AS other,
           CAST(round(income['taxable_p50']) AS BIGINT) AS taxable_p50,
           CAST(round(income['undeclared_mean']) AS BIGINT) AS expected_undeclared,
           round(income['p_month_50k'], 3) AS p_month_50k,
           round(income['p_month_200k'], 3) AS p_month_200k,
           array_to_string(income['flags'], ', ') AS flags,
           income['prior_version'] AS prior_version,
           income['seed'] AS seed,
           unnest(income['contributions']) AS contribution
    FROM explained
),
shifts AS (
    SELECT *,
           contribution['evidence'] AS evidence,
           CAST(round(contribution['shift']) AS BIGINT) AS shift
    FROM pieces
)
SELECT channel_id,
       CAST($year AS BIGINT) AS year,
       MAX(taxpayer_id) AS taxpayer_id,
       MAX(p10) AS p10,
       MAX(p50) AS p50,
       MAX(p90) AS p90,
       MAX(ads) AS ads,
       MAX(sponsorship) AS sponsorship,
       MAX(donations) AS donations,
       MAX(group_buy) AS group_buy,
       MAX(other) AS other,
       MAX(taxable_p50) AS taxable_p50,
       MAX(expected_undeclared) AS expected_undeclared,
       MAX(p_month_50k) AS p_month_50k,
       MAX(p_month_200k) AS p_month_200k,
       string_agg(concat(evidence, ' ', CAST(shift AS VARCHAR)), ', ' ORDER BY abs(shift) DESC, evidence) AS contributions,
       MAX(flags) AS flags,
       MAX(prior_version) AS prior_version,
       MAX(seed) AS seed
FROM shifts
GROUP BY channel_id
ORDER BY p50 DESC, channel_id
