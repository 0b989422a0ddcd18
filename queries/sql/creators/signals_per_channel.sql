-- title: Signs of paid promotion by channel
-- question: Which channels show sponsorship, group buys, donations and affiliate links in their videos and posts?
-- param: year integer 2025 – income year
-- column: channel_id text – channel
-- column: title text – its name
-- column: followers integer – as shown; NULL where hidden
-- column: documents integer – videos and posts in the year
-- column: sponsored integer – with signs of sponsorship, or the platform's label
-- column: disclosed integer – with an open disclosure in the text or the platform's label
-- column: discount_codes integer – with a discount code
-- column: group_buys integer – announcing a group buy
-- column: affiliate_links integer – with affiliate links
-- column: donations integer – asking for donations or memberships
-- column: sponsored_percent double – of the documents, 1 decimal
-- column: highest_score double – of a single document, sum of log-odds, 1 decimal
-- portable: no
WITH channels AS (
    SELECT id AS channel_id,
           snippet['customUrl'] AS handle,
           snippet['title'] AS title,
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1] AS email,
           TRY_CAST(statistics['subscriberCount'] AS BIGINT) AS subscribers,
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
           TRY_CAST(substr(snippet['publishedAt'], 1, 4) AS BIGINT) AS year,
           NOT regexp_like("contentDetails"['duration'], '^PT[0-9]+S$') AS long_video,
           TRY_CAST(statistics['viewCount'] AS BIGINT) AS views,
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
)
SELECT c.channel_id,
       c.title,
       c.subscribers AS followers,
       COUNT(*) AS documents,
       COUNT(*) FILTER (WHERE d.labelled OR d.signals['sponsored']) AS sponsored,
       COUNT(*) FILTER (WHERE d.labelled OR array_has(d.signals['classes'], 'explicit_disclosure')) AS disclosed,
       COUNT(*) FILTER (WHERE array_has(d.signals['classes'], 'discount_code')) AS discount_codes,
       COUNT(*) FILTER (WHERE array_has(d.signals['classes'], 'group_buy')) AS group_buys,
       COUNT(*) FILTER (WHERE array_has(d.signals['classes'], 'affiliate')) AS affiliate_links,
       COUNT(*) FILTER (WHERE array_has(d.signals['classes'], 'donation')) AS donations,
       round(CAST(COUNT(*) FILTER (WHERE d.labelled OR d.signals['sponsored']) AS DOUBLE) * 100 / COUNT(*), 1)
           AS sponsored_percent,
       round(MAX(d.signals['score']), 1) AS highest_score
FROM channels c
JOIN documents d ON d.channel_id = c.channel_id
WHERE d.year = $year
GROUP BY c.channel_id, c.title, c.subscribers
ORDER BY sponsored DESC, documents DESC, c.channel_id
