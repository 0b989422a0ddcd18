-- What is known of every channel in $year, and its estimated income; on top of creators/links.
documents AS (
    SELECT snippet['channelId'] AS channel_id,
           CAST(substr(snippet['publishedAt'], 1, 4) AS BIGINT) AS year,
           NOT regexp_like("contentDetails"['duration'], '^PT[0-9]+S$') AS long_video,
           CAST(statistics['viewCount'] AS BIGINT) AS views,
           CAST(NULL AS BIGINT) AS followers,
           FALSE AS labelled,
           sponsor_signals(snippet['description']) AS signals
    FROM third_party.video_raw
    UNION ALL
    SELECT c.channel_id,
           CAST(EXTRACT(YEAR FROM to_timestamp_seconds(COALESCE(p.taken_at, p."createTime"))) AS BIGINT),
           FALSE,
           CAST(NULL AS BIGINT),
           p.owner['follower_count'],
           COALESCE(p.is_paid_partnership, FALSE),
           sponsor_signals(COALESCE(p.caption, p."desc"))
    FROM third_party.post_raw p
    JOIN channels c ON c.handle = COALESCE(p.owner['username'], p.author['uniqueId'])
),
links AS (
    SELECT channel_id, taxpayer_id, score AS link_score
    FROM ranked
    WHERE place = 1 AND score > COALESCE(rival_score, 0)
),
public_signs AS (
    SELECT channel_id,
           COUNT(*) AS documents,
           CAST(SUM(CASE WHEN long_video THEN views ELSE 0 END) AS BIGINT) AS annual_views,
           MAX(followers) AS followers,
           COUNT(*) FILTER (WHERE labelled OR signals['sponsored']) AS sponsored_documents,
           bool_or(array_has(signals['classes'], 'donation')) AS donation_signal,
           bool_or(array_has(signals['classes'], 'group_buy')) AS group_buy_signal
    FROM documents
    WHERE year = $year
    GROUP BY channel_id
),
statements AS (
    SELECT l.channel_id,
           array_agg(w.gross_amount ORDER BY w.paid_on, w.gross_amount) AS deal_amounts,
           COUNT(w.gross_amount) AS reported_deals,
           CAST(COALESCE(SUM(w.gross_amount), 0) AS BIGINT) AS reported_amount
    FROM links l
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
           COALESCE(c.subscribers, p.followers) AS followers,
           COALESCE(p.annual_views, 0) AS annual_views,
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
