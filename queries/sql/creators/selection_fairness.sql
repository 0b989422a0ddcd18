-- title: Fairness of the selection
-- question: Whom would a selection by expected undeclared income pick, by region, category and size, how often wrongly, and what does each source of evidence do to that?
-- param: year integer 2025 – income year
-- param: draws integer 1024 – draws per creator, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- param: share decimal 0.25 – share of the selectable creators that is picked
-- param: minimum_undeclared integer 50000 – expected undeclared income below which nobody is selectable, NT$
-- param: include_candidates boolean false – also channels whose owner is only a candidate
-- column: without text – the source of evidence left out; nothing with all of it
-- column: grouping text – region, category or size
-- column: group_name text – bureau of the taxpayer, category, or followers
-- column: linked integer – creators with a linked taxpayer, minors aside
-- column: selectable integer – of these, neither minor nor below the threshold nor resting on the prior
-- column: selected integer – of these, picked: largest expected undeclared income first
-- column: selection_percent double – selected, of the linked, 1 decimal
-- column: selection_ratio double – that rate over the rate of all linked, 2 decimals
-- column: selection_points double – selection_percent less that with all evidence, 1 decimal
-- column: expected_gap_percent double – the group's share of all expected undeclared income, 1 decimal
-- column: false_alarm_probability double – mean over the selected of the probability that less than the threshold is undeclared, rough, 3 decimals
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH variants AS (
    SELECT *
    FROM (VALUES (0, 'nothing'), (1, 'audience'), (2, 'public_documents'), (3, 'reported_statements'),
                 (4, 'remittances'), (5, 'declared_income')) AS v(variant, without)
),
varied AS (
    SELECT v.variant,
           v.without,
           o.channel_id,
           o.taxpayer_id,
           o.category,
           o.followers,
           o.declared,
           influencer_income(named_struct(
               'channel_id', o.channel_id,
               'year', CAST($year AS BIGINT),
               'followers', CASE WHEN v.without <> 'audience' THEN o.followers END,
               'annual_views', CASE WHEN v.without <> 'audience' THEN o.annual_views END,
               'category', CASE WHEN v.without <> 'audience' THEN o.category END,
               'posts', CASE WHEN v.without <> 'public_documents' THEN o.documents END,
               'sponsored_posts', CASE WHEN v.without <> 'public_documents' THEN o.sponsored_documents END,
               'donation_signal', CASE WHEN v.without <> 'public_documents' THEN o.donation_signal END,
               'group_buy_signal', CASE WHEN v.without <> 'public_documents' THEN o.group_buy_signal END,
               'seen_deal_amounts', CASE WHEN v.without <> 'reported_statements' THEN o.deal_amounts END,
               'remittance_twd', CASE WHEN v.without <> 'remittances' THEN o.remittance END,
               'declared_income', CASE WHEN v.without <> 'declared_income' THEN o.declared END,
               'is_minor', o.is_minor
           ), draws => $draws, seed => $seed) AS income
    FROM observed o
    CROSS JOIN variants v
    WHERE NOT o.is_minor AND (o.link_status = 'linked' OR $include_candidates AND o.link_status = 'candidate')
),
-- Without the declared amount as evidence the estimate is still compared with it.
gaps AS (
    SELECT *,
           CASE WHEN without = 'declared_income' THEN GREATEST(income['mean'] - declared, 0) ELSE income['undeclared_mean'] END
               AS expected_gap,
           CASE WHEN without = 'declared_income' THEN GREATEST(income['p10'] - declared, 0) ELSE income['undeclared_p10'] END
               AS low_gap,
           CASE WHEN without = 'declared_income' THEN GREATEST(income['p90'] - declared, 0) ELSE income['undeclared_p90'] END
               AS high_gap
    FROM varied
),
cases AS (
    SELECT g.variant,
           g.without,
           g.channel_id,
           c.bureau_code,
           g.category,
           g.followers,
           g.expected_gap,
           g.low_gap,
           g.high_gap,
           g.income['p50'] IS NOT NULL
               AND NOT array_has(g.income['flags'], 'prior_dominated')
               AND g.expected_gap >= $minimum_undeclared AS selectable
    FROM gaps g
    JOIN tax.taxpayer t ON t.taxpayer_id = g.taxpayer_id
    LEFT JOIN ref.county c ON c.county_code = t.county_code
),
ranked_cases AS (
    SELECT *,
           ROW_NUMBER() OVER (PARTITION BY variant, selectable ORDER BY expected_gap DESC, channel_id) AS place,
           COUNT(*) FILTER (WHERE selectable) OVER (PARTITION BY variant) AS selectable_count
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
    SELECT variant,
           without,
           expected_gap,
           selectable,
           selected,
           below_threshold,
           unnest(make_array(
               named_struct('grouping', 'region', 'name', COALESCE(bureau_code, 'unknown')),
               named_struct('grouping', 'category', 'name', COALESCE(category, 'unknown')),
               named_struct('grouping', 'size', 'name',
                            CASE WHEN followers IS NULL OR followers < 0 THEN 'hidden'
                                 WHEN followers < 10000 THEN 'below 10,000'
                                 WHEN followers < 100000 THEN '10,000 to 100,000'
                                 ELSE 'from 100,000'
                            END)
           )) AS of_group
    FROM picked
),
by_group AS (
    SELECT variant,
           without,
           of_group['grouping'] AS grouping,
           of_group['name'] AS group_name,
           COUNT(*) AS linked,
           COUNT(*) FILTER (WHERE selectable) AS selectable,
           COUNT(*) FILTER (WHERE selected) AS selected,
           SUM(CAST(round(expected_gap) AS BIGINT)) AS expected_gap,
           SUM(CASE WHEN selected THEN CAST(round(below_threshold * 1000000) AS BIGINT) ELSE 0 END) AS below_threshold
    FROM grouped
    GROUP BY variant, without, of_group['grouping'], of_group['name']
),
compared_groups AS (
    SELECT *,
           SUM(linked) OVER (PARTITION BY variant, grouping) AS all_linked,
           SUM(selected) OVER (PARTITION BY variant, grouping) AS all_selected,
           SUM(expected_gap) OVER (PARTITION BY variant, grouping) AS all_gap,
           MAX(CASE WHEN variant = 0 THEN selected END) OVER (PARTITION BY grouping, group_name) AS selected_with_all
    FROM by_group
)
SELECT without,
       grouping,
       group_name,
       linked,
       selectable,
       selected,
       round(CAST(selected AS DOUBLE) * 100 / linked, 1) AS selection_percent,
       CASE WHEN all_selected > 0
            THEN round((CAST(selected AS DOUBLE) / linked) / (CAST(all_selected AS DOUBLE) / all_linked), 2)
       END AS selection_ratio,
       round(CAST(selected - selected_with_all AS DOUBLE) * 100 / linked, 1) AS selection_points,
       CASE WHEN all_gap > 0 THEN round(CAST(expected_gap AS DOUBLE) * 100 / all_gap, 1) END AS expected_gap_percent,
       CASE WHEN selected > 0 THEN round(CAST(below_threshold AS DOUBLE) / 1000000 / selected, 3) END AS false_alarm_probability
FROM compared_groups
ORDER BY variant, grouping, group_name
