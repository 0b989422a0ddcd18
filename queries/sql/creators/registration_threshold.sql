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
-- portable: no
WITH channels AS (
    SELECT id AS channel_id,
           snippet['customUrl'] AS handle,
           snippet['title'] AS title,
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1] AS email,
           CAST(statistics['subscriberCount'] AS BIGINT) AS subscribers,
           CASE regexp_replace("topicDetails"['topicCategories'][1], '^.*/', '')
               WHEN 'Finance' THEN 'finance'
               WHEN 'Technology' THEN 'technology'
               WHEN 'Knowledge' THEN 'education'
               WHEN 'Physical_fitness' THEN 'fitness'
               WHEN 'Fashion' THEN 'beauty'
               WHEN 'Food' THEN 'food'
               WHEN 'Lifestyle_(sociology)' THEN 'vlog'
               WHEN 'Entertainment' THEN 'entertainment'
               WHEN 'Video_game_culture' THEN 'gaming'
               WHEN 'Music' THEN 'music'
               WHEN 'Toy' THEN 'kids'
           END AS category
    FROM third_party.channel_raw
),
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
mailboxes AS (
    SELECT channel_id, email
    FROM channels
    UNION
    SELECT snippet['channelId'],
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1]
    FROM third_party.video_raw
),
title_owners AS (
    SELECT title, MIN(channel_id) AS channel_id
    FROM channels
    GROUP BY title
    HAVING COUNT(*) = 1
),
named AS (
    SELECT payee_id, payer_ban, regexp_match(description, '[- ](.+)$')[1] AS named
    FROM tax.withholding
    WHERE code IN ('9A', '9B', '92', '50')
),
keys AS (
    SELECT m.channel_id, t.taxpayer_id, 'email' AS key, CAST(NULL AS VARCHAR) AS payer_ban
    FROM mailboxes m
    JOIN tax.taxpayer t ON t.email = m.email
    UNION ALL
    SELECT c.channel_id, n.payee_id, 'handle', n.payer_ban
    FROM named n
    JOIN channels c ON c.handle = n.named
    UNION ALL
    SELECT o.channel_id, n.payee_id, 'title', n.payer_ban
    FROM named n
    JOIN title_owners o ON o.title = n.named
),
scored AS (
    SELECT channel_id,
           taxpayer_id,
           CAST(MAX(CASE WHEN key = 'email' THEN 6 ELSE 0 END)
                + MAX(CASE WHEN key = 'handle' THEN 4 ELSE 0 END)
                + MAX(CASE WHEN key = 'title' THEN 3 ELSE 0 END) AS BIGINT) AS score,
           bool_or(key = 'email') AS by_email,
           bool_or(key = 'handle') AS by_handle,
           bool_or(key = 'title') AS by_title,
           COUNT(DISTINCT payer_ban) AS payers
    FROM keys
    GROUP BY channel_id, taxpayer_id
),
ranked AS (
    SELECT channel_id,
           taxpayer_id,
           score,
           by_email,
           by_handle,
           by_title,
           payers,
           ROW_NUMBER() OVER (PARTITION BY channel_id ORDER BY score DESC, payers DESC, taxpayer_id) AS place,
           LEAD(score) OVER (PARTITION BY channel_id ORDER BY score DESC, payers DESC, taxpayer_id) AS rival_score
    FROM scored
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
           CASE WHEN l.taxpayer_id IS NOT NULL THEN COALESCE(r.declared, 0) END AS declared
    FROM channels c
    LEFT JOIN public_signs p ON p.channel_id = c.channel_id
    LEFT JOIN links l ON l.channel_id = c.channel_id
    LEFT JOIN statements s ON s.channel_id = c.channel_id
    LEFT JOIN remitted m ON m.payee_id = l.taxpayer_id
    LEFT JOIN returns r ON r.taxpayer_id = l.taxpayer_id
),
estimated AS (
    SELECT *,
           influencer_income(named_struct(
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
               'declared_income', declared
           ), draws => $draws, seed => $seed) AS income
    FROM evidence
)
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
