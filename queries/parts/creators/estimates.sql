-- What is known of every channel in $year, and its estimated income; on top of creators/links.
collected_documents AS (
    SELECT snippet['channelId'] AS channel_id,
           id,
           TRY_CAST(substr(snippet['publishedAt'], 1, 4) AS BIGINT) AS year,
           NOT regexp_like("contentDetails"['duration'], '^PT[0-9]+S$') AS long_video,
           COALESCE(TRY_CAST(statistics['viewCount'] AS BIGINT),
                    CASE WHEN statistics['viewCount'] IS NOT NULL THEN -1 END) AS views,
           CAST(NULL AS BIGINT) AS followers,
           CAST(NULL AS BOOLEAN) AS labelled,
           sponsor_signals(snippet['description']) AS signals
    FROM third_party.video_raw
    UNION ALL
    SELECT c.channel_id,
           p.id,
           CAST(EXTRACT(YEAR FROM to_timestamp_seconds(COALESCE(p.taken_at, p."createTime"))) AS BIGINT),
           FALSE,
           CAST(NULL AS BIGINT),
           p.owner['follower_count'],
           p.is_paid_partnership,
           sponsor_signals(COALESCE(p.caption, p."desc"))
    FROM third_party.post_raw p
    JOIN channels c ON c.handle = COALESCE(p.owner['username'], p.author['uniqueId'])
),
-- A document that was collected twice counts once, with all that any copy shows.
documents AS (
    SELECT channel_id,
           MAX(year) AS year,
           bool_or(long_video) AS long_video,
           MAX(views) AS views,
           MAX(followers) AS followers,
           COALESCE(bool_or(labelled OR signals['sponsored']), FALSE) AS sponsored,
           bool_or(array_has(signals['classes'], 'donation')) AS asks_donations,
           bool_or(array_has(signals['classes'], 'group_buy')) AS announces_group_buy
    FROM collected_documents
    GROUP BY channel_id, id
),
-- The best owner, unless others match as well, and the agency, which is never the owner.
best AS (
    SELECT channel_id,
           MAX(CASE WHEN relation = 'owner' THEN party_id END) AS first_party,
           MAX(CASE WHEN relation = 'owner' THEN score END) AS link_score,
           MAX(CASE WHEN relation = 'owner' THEN status END) AS link_status,
           MAX(CASE WHEN relation = 'owner' THEN reasons END) AS link_reasons,
           MAX(CASE WHEN relation = 'owner' THEN strong_keys END) AS strong_keys,
           MAX(CASE WHEN relation = 'owner' THEN against END) AS against_link,
           MAX(CASE WHEN relation = 'owner' THEN rival_score END) AS rival_score,
           MAX(CASE WHEN relation = 'owner' THEN strong_parties END) AS strong_parties,
           MAX(CASE WHEN relation = 'represented_by' THEN party_id END) AS agency_id,
           MAX(CASE WHEN relation = 'represented_by' THEN reasons END) AS agency_reasons
    FROM ranked
    WHERE place = 1
    GROUP BY channel_id
),
links AS (
    SELECT *,
           CASE WHEN link_status <> 'contradictory' AND link_score > 0 AND link_score > COALESCE(rival_score, 0) THEN first_party
           END AS taxpayer_id
    FROM best
),
public_signs AS (
    SELECT channel_id,
           COUNT(*) AS documents,
           -- A negative or absurd count stays one, so that it is flagged; hidden counts are no zero.
           CASE WHEN MIN(CASE WHEN long_video THEN views END) < 0 THEN -1
                WHEN COUNT(*) FILTER (WHERE long_video) = COUNT(*) FILTER (WHERE long_video AND views IS NULL)
                     AND COUNT(*) FILTER (WHERE long_video) > 0 THEN NULL
                ELSE CAST(SUM(CASE WHEN NOT long_video THEN 0
                                   WHEN views > 100000000000000 THEN 100000000000000
                                   ELSE views END) AS BIGINT)
           END AS annual_views,
           MAX(followers) AS followers,
           COUNT(*) FILTER (WHERE sponsored) AS sponsored_documents,
           bool_or(asks_donations) AS donation_signal,
           bool_or(announces_group_buy) AS group_buy_signal
    FROM documents
    WHERE year = $year
    GROUP BY channel_id
),
statements AS (
    SELECT l.channel_id,
           array_agg(w.gross_amount ORDER BY w.paid_on, w.gross_amount) AS deal_amounts,
           COUNT(w.gross_amount) AS reported_deals,
           CAST(COALESCE(SUM(w.gross_amount), 0) AS BIGINT) AS reported_amount
    FROM (SELECT channel_id, taxpayer_id FROM links WHERE taxpayer_id IS NOT NULL) l
    LEFT JOIN tax.withholding w
        ON w.payee_id = l.taxpayer_id AND w.year = $year
       AND regexp_like(w.description, '合作|業配|推廣|行銷|演藝|稿費$|臨時工作')
    GROUP BY l.channel_id
),
remitted AS (
    SELECT payee_id, CAST(SUM(amount_twd) AS BIGINT) AS remittance
    FROM third_party.remittance
    WHERE EXTRACT(YEAR FROM received_on) = $year
    GROUP BY payee_id
),
returns AS (
    SELECT taxpayer_id, CAST(SUM(declared_creator_income) AS BIGINT) AS declared
    FROM tax.income_return
    WHERE year = $year
    GROUP BY taxpayer_id
),
evidence AS (
    SELECT c.channel_id,
           c.title,
           c.category,
           l.taxpayer_id,
           l.link_score,
           l.link_status,
           l.link_reasons,
           l.strong_keys,
           l.against_link,
           l.first_party,
           l.rival_score,
           l.strong_parties,
           l.agency_id,
           l.agency_reasons,
           COALESCE(c.subscribers, p.followers) AS followers,
           p.annual_views,
           COALESCE(p.documents, 0) AS documents,
           COALESCE(p.sponsored_documents, 0) AS sponsored_documents,
           COALESCE(p.donation_signal, FALSE) AS donation_signal,
           COALESCE(p.group_buy_signal, FALSE) AS group_buy_signal,
           s.deal_amounts,
           s.reported_deals,
           s.reported_amount,
           m.remittance,
           CASE WHEN l.taxpayer_id IS NOT NULL THEN COALESCE(r.declared, 0) END AS declared,
           t.birth_date IS NOT NULL AND EXTRACT(YEAR FROM t.birth_date) + 18 > $year AS is_minor
    FROM channels c
    LEFT JOIN public_signs p ON p.channel_id = c.channel_id
    LEFT JOIN links l ON l.channel_id = c.channel_id
    LEFT JOIN statements s ON s.channel_id = c.channel_id
    LEFT JOIN remitted m ON m.payee_id = l.taxpayer_id
    LEFT JOIN returns r ON r.taxpayer_id = l.taxpayer_id
    LEFT JOIN tax.taxpayer t ON t.taxpayer_id = l.taxpayer_id
),
observed AS (
    SELECT *,
           named_struct(
               'channel_id', channel_id,
               'year', CAST($year AS BIGINT),
               'followers', followers,
               'annual_views', annual_views,
               'category', category,
               'posts', documents,
               'sponsored_posts', sponsored_documents,
               'donation_signal', donation_signal,
               'group_buy_signal', group_buy_signal,
               'seen_deal_amounts', deal_amounts,
               'remittance_twd', remittance,
               'declared_income', declared,
               'is_minor', is_minor
           ) AS known
    FROM evidence
),
estimated AS (
    SELECT *, influencer_income(known, draws => $draws, seed => $seed) AS income
    FROM observed
)
