-- title: Whose channel is it?
-- question: Which taxpayer stands behind each channel, and on what grounds?
-- param: minimum_score integer 3 – weakest link listed: e-mail in the register 6, handle named by a payer 4, title 3
-- column: channel_id text – channel
-- column: title text – its name
-- column: handle text – its handle
-- column: taxpayer_id text – the taxpayer with the highest score
-- column: score integer – sum over the kinds of keys that agree
-- column: email_registered boolean – an e-mail of the channel or its videos is the taxpayer's in the register
-- column: named_by_handle boolean – a payer's withholding statement names the handle
-- column: named_by_title boolean – a payer's withholding statement names the title, which no other channel has
-- column: payers integer – payers that name the channel
-- column: rival_score integer – of the next taxpayer; NULL where there is none
-- column: two_keys boolean – two independent keys agree; with fewer, ask before acting
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
SELECT r.channel_id,
       c.title,
       c.handle,
       r.taxpayer_id,
       r.score,
       r.by_email AS email_registered,
       r.by_handle AS named_by_handle,
       r.by_title AS named_by_title,
       r.payers,
       r.rival_score,
       (CASE WHEN r.by_email THEN 1 ELSE 0 END) + r.payers >= 2 AS two_keys
FROM ranked r
JOIN channels c ON c.channel_id = r.channel_id
WHERE r.place = 1 AND r.score >= $minimum_score
ORDER BY r.score DESC, r.payers DESC, r.channel_id
