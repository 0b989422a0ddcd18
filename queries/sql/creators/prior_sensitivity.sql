-- title: What the estimate owes to each assumption
-- question: How far would the estimate move if each prior were as low or as high as one could defend, and with it the chance of reaching a threshold?
-- param: channel text first – channel id; first takes the channels of which payers reported the most
-- param: creators integer 1 – so many channels together, where channel is first
-- param: version text tithe-priors-1 – version of the priors in income.priors
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- column: rank integer – by the larger move of the median
-- column: prior text – name of the prior, and its key
-- column: meaning text – what it means
-- column: reading text – the two moves in words
-- column: value double – as assumed
-- column: low double – the lowest one could defend
-- column: high double – the highest one could defend
-- column: unit text – of all three
-- column: confidence text – how far the prior is trusted: high, medium, low
-- column: p50 integer – median of gross receipts as assumed, sum over the creators, NT$
-- column: p50_shift_low integer – with the low value, less that, NT$
-- column: p50_shift_high integer – with the high value, less that, NT$
-- column: p90_shift_low integer – the same of the 90 % quantile, NT$
-- column: p90_shift_high integer – the same, NT$
-- column: p_month_50k_shift_low double – of the probability of NT$50,000 in the best month, mean over the creators, 3 decimals
-- column: p_month_50k_shift_high double – the same
-- column: p_month_200k_shift_low double – of the probability of NT$200,000 in the best month, 3 decimals
-- column: p_month_200k_shift_high double – the same
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH chosen AS (
    SELECT known
    FROM (SELECT known, channel_id, ROW_NUMBER() OVER (ORDER BY reported_amount DESC NULLS LAST, channel_id) AS place
          FROM observed
          WHERE NOT is_minor AND (channel_id = $channel OR $channel = 'first')) candidates
    WHERE place <= $creators
),
assumed AS (
    SELECT *
    FROM income.priors
    WHERE version = $version
),
moves AS (
    SELECT '' AS name, '' AS key, 'none' AS move, CAST(NULL AS DOUBLE) AS moved
    UNION ALL
    SELECT name, key, 'low', low FROM assumed WHERE low <> value
    UNION ALL
    SELECT name, key, 'high', high FROM assumed WHERE high <> value
),
sets AS (
    SELECT m.name,
           m.key,
           m.move,
           array_agg(named_struct(
               'version', CASE WHEN m.move = 'none' THEN a.version ELSE concat(a.version, ' with one moved') END,
               'name', a.name,
               'key', a.key,
               'value', CASE WHEN a.name = m.name AND a.key = m.key THEN m.moved ELSE a.value END,
               'unit', a.unit
           )) AS priors
    FROM moves m
    CROSS JOIN assumed a
    GROUP BY m.name, m.key, m.move
),
moved AS (
    SELECT s.name, s.key, s.move, influencer_income(c.known, draws => $draws, seed => $seed, priors => s.priors) AS income
    FROM sets s
    CROSS JOIN chosen c
),
sums AS (
    SELECT name,
           key,
           move,
           COUNT(*) AS creators,
           CAST(SUM(CAST(round(income['p50']) AS BIGINT)) AS BIGINT) AS p50,
           CAST(SUM(CAST(round(income['p90']) AS BIGINT)) AS BIGINT) AS p90,
           CAST(SUM(CAST(round(income['p_month_50k'] * 1000000) AS BIGINT)) AS DOUBLE) / 1000000 / COUNT(*) AS p_month_50k,
           CAST(SUM(CAST(round(income['p_month_200k'] * 1000000) AS BIGINT)) AS DOUBLE) / 1000000 / COUNT(*) AS p_month_200k
    FROM moved
    GROUP BY name, key, move
),
against AS (
    SELECT *,
           MAX(CASE WHEN move = 'none' THEN p50 END) OVER () AS as_assumed,
           p50 - MAX(CASE WHEN move = 'none' THEN p50 END) OVER () AS p50_by,
           p90 - MAX(CASE WHEN move = 'none' THEN p90 END) OVER () AS p90_by,
           p_month_50k - MAX(CASE WHEN move = 'none' THEN p_month_50k END) OVER () AS p_50k_by,
           p_month_200k - MAX(CASE WHEN move = 'none' THEN p_month_200k END) OVER () AS p_200k_by
    FROM sums
),
-- A prior that is certain on one side does not move there, and one that is certain on both is not listed.
pairs AS (
    SELECT name,
           key,
           MAX(as_assumed) AS p50,
           COALESCE(MAX(CASE WHEN move = 'low' THEN p50_by END), 0) AS p50_low,
           COALESCE(MAX(CASE WHEN move = 'high' THEN p50_by END), 0) AS p50_high,
           COALESCE(MAX(CASE WHEN move = 'low' THEN p90_by END), 0) AS p90_low,
           COALESCE(MAX(CASE WHEN move = 'high' THEN p90_by END), 0) AS p90_high,
           COALESCE(MAX(CASE WHEN move = 'low' THEN p_50k_by END), 0) AS p_50k_low,
           COALESCE(MAX(CASE WHEN move = 'high' THEN p_50k_by END), 0) AS p_50k_high,
           COALESCE(MAX(CASE WHEN move = 'low' THEN p_200k_by END), 0) AS p_200k_low,
           COALESCE(MAX(CASE WHEN move = 'high' THEN p_200k_by END), 0) AS p_200k_high
    FROM against
    GROUP BY name, key
),
shifts AS (
    SELECT a.name, a.key, a.meaning, a.value, a.low, a.high, a.unit, a.confidence, p.p50, p.p50_low, p.p50_high, p.p90_low,
           p.p90_high, p.p_50k_low, p.p_50k_high, p.p_200k_low, p.p_200k_high
    FROM pairs p
    JOIN assumed a ON a.name = p.name AND a.key = p.key
)
SELECT CAST(ROW_NUMBER() OVER (ORDER BY GREATEST(abs(p50_low), abs(p50_high)) DESC, name, key) AS BIGINT) AS rank,
       CASE WHEN key = '' THEN name ELSE concat(name, ' (', key, ')') END AS prior,
       meaning,
       concat('With ', CAST(low AS VARCHAR), ' instead of ', CAST(value AS VARCHAR), ' ', unit, ' the median is ',
              CASE WHEN p50_low < 0 THEN '' ELSE '+' END,
              CAST(round(CAST(p50_low AS DOUBLE) * 100 / NULLIF(p50, 0), 1) AS VARCHAR), ' %, with ', CAST(high AS VARCHAR), ' ',
              CASE WHEN p50_high < 0 THEN '' ELSE '+' END,
              CAST(round(CAST(p50_high AS DOUBLE) * 100 / NULLIF(p50, 0), 1) AS VARCHAR), ' %') AS reading,
       value,
       low,
       high,
       unit,
       confidence,
       p50,
       p50_low AS p50_shift_low,
       p50_high AS p50_shift_high,
       p90_low AS p90_shift_low,
       p90_high AS p90_shift_high,
       round(p_50k_low, 3) AS p_month_50k_shift_low,
       round(p_50k_high, 3) AS p_month_50k_shift_high,
       round(p_200k_low, 3) AS p_month_200k_shift_low,
       round(p_200k_high, 3) AS p_month_200k_shift_high
FROM shifts
ORDER BY rank
