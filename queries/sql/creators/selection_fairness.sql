-- title: Fairness of the selection
-- question: Whom would a selection by expected undeclared income pick, by region, category and size, and how often wrongly?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- param: share decimal 0.25 – share of the selectable creators that is picked
-- param: minimum_undeclared integer 50000 – expected undeclared income below which nobody is selectable, NT$
-- column: grouping text – region, category or size
-- column: group_name text – bureau of the taxpayer, category, or followers
-- column: linked integer – creators with a linked taxpayer
-- column: selectable integer – of these, neither minor nor below the threshold nor resting on the prior
-- column: selected integer – of these, picked: largest expected undeclared income first
-- column: selection_percent double – selected, of the linked, 1 decimal
-- column: selection_ratio double – that rate over the rate of all linked, 2 decimals
-- column: expected_gap_percent double – the group's share of all expected undeclared income, 1 decimal
-- column: false_alarm_probability double – mean over the selected of the probability that less than the threshold is undeclared, rough, 3 decimals
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH cases AS (
    SELECT e.channel_id,
           t.county_code,
           e.category,
           e.followers,
           e.income['undeclared_mean'] AS expected_gap,
           e.income['undeclared_p10'] AS low_gap,
           e.income['undeclared_p90'] AS high_gap,
           e.income['p50'] IS NOT NULL
               AND NOT array_has(e.income['flags'], 'prior_dominated')
               AND e.income['undeclared_mean'] >= $minimum_undeclared AS selectable
    FROM estimated e
    JOIN tax.taxpayer t ON t.taxpayer_id = e.taxpayer_id
),
ranked_cases AS (
    SELECT *,
           ROW_NUMBER() OVER (PARTITION BY selectable ORDER BY expected_gap DESC, channel_id) AS place,
           COUNT(*) FILTER (WHERE selectable) OVER () AS selectable_count
    FROM cases
),
picked AS (
    SELECT r.*,
           selectable AND place <= CEIL(CAST(selectable_count AS DOUBLE) * $share) AS selected,
           -- Linear between the 10 % and 90 % quantiles; beyond them the nearer of the two.
           CASE WHEN $minimum_undeclared <= low_gap THEN 0.1
                WHEN $minimum_undeclared >= high_gap THEN 0.9
                ELSE 0.1 + 0.8 * ($minimum_undeclared - low_gap) / (high_gap - low_gap)
           END AS below_threshold
    FROM ranked_cases r
),
grouped AS (
    SELECT 'region' AS grouping, COALESCE(c.bureau_code, 'unknown') AS group_name, p.*
    FROM picked p
    LEFT JOIN ref.county c ON c.county_code = p.county_code
    UNION ALL
    SELECT 'category', COALESCE(p.category, 'unknown'), p.*
    FROM picked p
    UNION ALL
    SELECT 'size',
           CASE WHEN p.followers IS NULL THEN 'hidden'
                WHEN p.followers < 10000 THEN 'below 10,000'
                WHEN p.followers < 100000 THEN '10,000 to 100,000'
                ELSE 'from 100,000'
           END,
           p.*
    FROM picked p
),
totals AS (
    SELECT COUNT(*) AS linked,
           COUNT(*) FILTER (WHERE selected) AS selected,
           SUM(CAST(round(expected_gap) AS BIGINT)) AS expected_gap
    FROM picked
),
by_group AS (
    SELECT grouping,
           group_name,
           COUNT(*) AS linked,
           COUNT(*) FILTER (WHERE selectable) AS selectable,
           COUNT(*) FILTER (WHERE selected) AS selected,
           SUM(CAST(round(expected_gap) AS BIGINT)) AS expected_gap,
           SUM(CASE WHEN selected THEN CAST(round(below_threshold * 1000000) AS BIGINT) ELSE 0 END) AS below_threshold
    FROM grouped
    GROUP BY grouping, group_name
)
SELECT g.grouping,
       g.group_name,
       g.linked,
       g.selectable,
       g.selected,
       round(CAST(g.selected AS DOUBLE) * 100 / g.linked, 1) AS selection_percent,
       CASE WHEN t.selected > 0
            THEN round((CAST(g.selected AS DOUBLE) / g.linked) / (CAST(t.selected AS DOUBLE) / t.linked), 2)
       END AS selection_ratio,
       CASE WHEN t.expected_gap > 0
            THEN round(CAST(g.expected_gap AS DOUBLE) * 100 / t.expected_gap, 1)
       END AS expected_gap_percent,
       CASE WHEN g.selected > 0
            THEN round(CAST(g.below_threshold AS DOUBLE) / 1000000 / g.selected, 3)
       END AS false_alarm_probability
FROM by_group g
CROSS JOIN totals t
ORDER BY g.grouping, g.group_name
