-- title: Whose channel is it?
-- question: Which taxpayer stands behind each channel, and on what grounds?
-- param: minimum_score integer 3 – weakest link listed: e-mail in the register 6, handle named by a payer 4, title 3
-- column: channel_id text – channel
-- column: title text – its name
-- column: handle text – its handle
-- column: taxpayer_id text – the taxpayer with the highest score
-- column: score integer – sum over the kinds of keys that agree
-- column: email_registered boolean – the channel's contact e-mail is the taxpayer's in the register
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
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]+')[1] AS email,
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
    SELECT c.channel_id, t.taxpayer_id, 'email' AS key, CAST(6 AS BIGINT) AS score, CAST(NULL AS VARCHAR) AS payer_ban
    FROM channels c
    JOIN tax.taxpayer t ON t.email = c.email
    UNION ALL
    SELECT c.channel_id, n.payee_id, 'handle', 4, n.payer_ban
    FROM named n
    JOIN channels c ON c.handle = n.named
    UNION ALL
    SELECT o.channel_id, n.payee_id, 'title', 3, n.payer_ban
    FROM named n
    JOIN title_owners o ON o.title = n.named
),
scored AS (
    SELECT channel_id,
           taxpayer_id,
           CAST(SUM(score) AS BIGINT) AS score,
           CAST(SUM(CASE WHEN key = 'email' THEN 1 ELSE 0 END) AS BIGINT) AS email_matches,
           CAST(SUM(named_in_handle) AS BIGINT) AS by_handle,
           CAST(SUM(named_in_title) AS BIGINT) AS by_title,
           CAST(SUM(payers) AS BIGINT) AS payers
    FROM (
        SELECT channel_id,
               taxpayer_id,
               key,
               MAX(score) AS score,
               COUNT(DISTINCT payer_ban) AS payers,
               SUM(CASE WHEN key = 'handle' THEN 1 ELSE 0 END) AS named_in_handle,
               SUM(CASE WHEN key = 'title' THEN 1 ELSE 0 END) AS named_in_title
        FROM keys
        GROUP BY channel_id, taxpayer_id, key
    ) by_key
    GROUP BY channel_id, taxpayer_id
),
ranked AS (
    SELECT channel_id,
           taxpayer_id,
           score,
           email_matches,
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
       r.email_matches > 0 AS email_registered,
       r.by_handle > 0 AS named_by_handle,
       r.by_title > 0 AS named_by_title,
       r.payers,
       r.rival_score,
       (CASE WHEN r.email_matches > 0 THEN 1 ELSE 0 END) + r.payers >= 2 AS two_keys
FROM ranked r
JOIN channels c ON c.channel_id = r.channel_id
WHERE r.place = 1 AND r.score >= $minimum_score
ORDER BY r.score DESC, r.payers DESC, r.channel_id
