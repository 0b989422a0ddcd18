-- Which taxpayer stands behind a channel: every pair that shares a key, scored and ranked.
channels AS (
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
)
