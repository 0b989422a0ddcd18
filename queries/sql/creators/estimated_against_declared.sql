-- title: Creators' income, estimated against declared
-- question: How much do creators of each kind probably earn, from what, and how much of it was declared?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- column: category text – kind of channel
-- column: channels integer – channels estimated
-- column: linked integer – of these, linked to a taxpayer
-- column: estimated_mean integer – expected gross receipts of all channels, NT$
-- column: ads integer – of which advertising shares, NT$
-- column: sponsorship integer – of which sponsorship, NT$
-- column: donations integer – of which donations and memberships, NT$
-- column: group_buy integer – of which group buys and affiliate commissions, NT$
-- column: other integer – of which the rest, NT$
-- column: linked_mean integer – expected gross receipts of the linked channels, NT$
-- column: declared integer – creator income declared by their taxpayers, NT$
-- column: expected_undeclared integer – expected receipts of the linked channels beyond the declared, NT$
-- column: declared_percent double – declared, of the linked channels' expected receipts, 1 decimal
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH amounts AS (
    SELECT category,
           taxpayer_id IS NOT NULL AS linked,
           declared,
           CAST(round(income['mean']) AS BIGINT) AS estimated_mean,
           CAST(round(income['components']['ads']['mean']) AS BIGINT) AS ads,
           CAST(round(income['components']['sponsorship']['mean']) AS BIGINT) AS sponsorship,
           CAST(round(income['components']['donations']['mean']) AS BIGINT) AS donations,
           CAST(round(income['components']['group_buy']['mean']) AS BIGINT) AS group_buy,
           CAST(round(income['components']['other']['mean']) AS BIGINT) AS other,
           CAST(round(income['undeclared_mean']) AS BIGINT) AS undeclared
    FROM estimated
    WHERE income['mean'] IS NOT NULL
)
SELECT category,
       COUNT(*) AS channels,
       COUNT(*) FILTER (WHERE linked) AS linked,
       CAST(SUM(estimated_mean) AS BIGINT) AS estimated_mean,
       CAST(SUM(ads) AS BIGINT) AS ads,
       CAST(SUM(sponsorship) AS BIGINT) AS sponsorship,
       CAST(SUM(donations) AS BIGINT) AS donations,
       CAST(SUM(group_buy) AS BIGINT) AS group_buy,
       CAST(SUM(other) AS BIGINT) AS other,
       CAST(SUM(CASE WHEN linked THEN estimated_mean ELSE 0 END) AS BIGINT) AS linked_mean,
       CAST(COALESCE(SUM(declared), 0) AS BIGINT) AS declared,
       CAST(COALESCE(SUM(undeclared), 0) AS BIGINT) AS expected_undeclared,
       CASE WHEN SUM(CASE WHEN linked THEN estimated_mean ELSE 0 END) > 0
            THEN round(CAST(SUM(declared) AS DOUBLE) * 100
                       / SUM(CASE WHEN linked THEN estimated_mean ELSE 0 END), 1)
       END AS declared_percent
FROM amounts
GROUP BY category
ORDER BY estimated_mean DESC, category
