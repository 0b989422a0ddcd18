-- Whose channel is it? Every pair of a channel and a taxpayer or agency that shares a key, scored by income.link_weights.
-- What is needed of a description is taken out of it first: texts may be of any size.
collected AS (
    SELECT id AS channel_id,
           snippet['customUrl'] AS handle,
           snippet['title'] AS title,
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1] AS email,
           regexp_match(snippet['description'], '(?m)^([^\n　]+)　統一編號：([0-9]{8})') AS named_number,
           regexp_match(snippet['description'], '(?m)^統一編號：([0-9]{8})')[1] AS number_alone,
           -- Hidden is NULL; what is there and no count becomes -1, so that it is flagged.
           COALESCE(TRY_CAST(statistics['subscriberCount'] AS BIGINT),
                    CASE WHEN statistics['subscriberCount'] IS NOT NULL THEN -1 END) AS subscribers,
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
           END AS category,
           collected_at
    FROM third_party.channel_raw
    WHERE id IS NOT NULL
),
-- A channel that was collected twice counts once, as it was last.
channels AS (
    SELECT channel_id, handle, title, email, named_number, number_alone, subscribers, category
    FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY channel_id ORDER BY collected_at DESC, title, email, number_alone, subscribers)
                    AS copy
          FROM collected) copies
    WHERE copy = 1
),
mailboxes AS (
    SELECT channel_id, email
    FROM channels
    UNION
    SELECT snippet['channelId'],
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1]
    FROM third_party.video_raw
),
numbers AS (
    SELECT channel_id, named_number[2] AS ban, named_number[1] AS name
    FROM channels
    WHERE ban_valid(named_number[2])
    UNION
    SELECT channel_id, number_alone, CAST(NULL AS VARCHAR)
    FROM channels
    WHERE ban_valid(number_alone)
),
titled AS (
    SELECT channel_id, title, COUNT(*) OVER (PARTITION BY title) AS channels
    FROM channels
),
named AS (
    SELECT payee_id, payer_ban, regexp_match(description, '[- ](.+)$')[1] AS named
    FROM tax.withholding
    WHERE code IN ('9A', '9B', '92', '50')
),
-- An agency's mailbox and number lead to the agency and never to an owner.
keys AS (
    SELECT m.channel_id, 'represented_by' AS relation, a.agency_id AS party_id, 'agency_email' AS evidence,
           CAST(NULL AS VARCHAR) AS payer_ban
    FROM mailboxes m
    JOIN ref.agency a ON a.email = m.email
    UNION ALL
    SELECT n.channel_id, 'represented_by', a.agency_id, 'agency_ban', NULL
    FROM numbers n
    JOIN ref.agency a ON a.ban = n.ban
    UNION ALL
    SELECT m.channel_id, 'owner', t.taxpayer_id, 'registered_email', NULL
    FROM mailboxes m
    JOIN tax.taxpayer t ON t.email = m.email
    LEFT JOIN ref.agency a ON a.email = m.email
    WHERE a.agency_id IS NULL
    UNION ALL
    -- Of a business that nobody is known to run, the business itself.
    SELECT n.channel_id, 'owner', COALESCE(o.owner_id, b.taxpayer_id),
           CASE WHEN b.name = n.name THEN 'ban_name' ELSE 'ban_alone' END, NULL
    FROM numbers n
    JOIN tax.taxpayer b ON b.ban = n.ban
    LEFT JOIN tax.business_owner o ON o.ban = n.ban
    LEFT JOIN ref.agency a ON a.ban = n.ban
    WHERE a.agency_id IS NULL
    UNION ALL
    SELECT c.channel_id, 'owner', r.taxpayer_id, 'registered_account', NULL
    FROM tax.registered_account r
    JOIN channels c ON c.handle = r.account
    UNION ALL
    SELECT c.channel_id, 'owner', n.payee_id, 'payer_handle', n.payer_ban
    FROM named n
    JOIN channels c ON c.handle = n.named
    UNION ALL
    SELECT c.channel_id, 'owner', n.payee_id, CASE WHEN c.channels = 1 THEN 'payer_title' ELSE 'payer_title_shared' END,
           n.payer_ban
    FROM named n
    JOIN titled c ON c.title = n.named
),
agreements AS (
    SELECT channel_id, relation, party_id, evidence, COUNT(DISTINCT payer_ban) AS payers
    FROM keys
    GROUP BY channel_id, relation, party_id, evidence
),
weighed AS (
    SELECT a.channel_id,
           a.relation,
           a.party_id,
           a.evidence,
           a.payers,
           w.strong,
           CAST(round(w.weight * 100) AS BIGINT) AS weight,
           CAST(round(w.disagreement * 100) AS BIGINT) AS disagreement,
           ROW_NUMBER() OVER (PARTITION BY a.channel_id, a.relation, a.evidence ORDER BY a.party_id) = 1 AS first,
           MIN(a.party_id) OVER (PARTITION BY a.channel_id, a.relation, a.evidence) AS first_party,
           COUNT(*) OVER (PARTITION BY a.channel_id, a.relation, a.evidence) AS parties
    FROM agreements a
    JOIN income.link_weights w ON w.evidence = a.evidence AND w.relation = a.relation
),
named_by AS (
    SELECT *,
           concat(evidence, ' names ', first_party,
                  CASE WHEN parties > 1 THEN concat(' and ', CAST(parties - 1 AS VARCHAR), ' more') ELSE '' END) AS naming
    FROM weighed
),
-- Evidence that a channel has and that points to another party alone speaks against this one. Texts are put together by windows, which
-- hold a channel at a time.
compared AS (
    SELECT *,
           SUM(CASE WHEN first THEN disagreement ELSE 0 END) OVER (PARTITION BY channel_id, relation) AS against_all,
           string_agg(CASE WHEN first THEN naming END, ', ') OVER (
               PARTITION BY channel_id, relation ORDER BY weight DESC, evidence
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
           ) AS naming_all,
           string_agg(naming, ', ') OVER (
               PARTITION BY channel_id, relation, party_id ORDER BY weight DESC, evidence
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
           ) AS naming_this,
           string_agg(concat(evidence, CASE WHEN payers = 0 THEN ''
                                            WHEN payers = 1 THEN ' (1 payer)'
                                            ELSE concat(' (', CAST(payers AS VARCHAR), ' payers)') END,
                             ' +', CAST(CAST(weight AS DOUBLE) / 100 AS VARCHAR)), ', ') OVER (
               PARTITION BY channel_id, relation, party_id ORDER BY weight DESC, evidence
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
           ) AS keys
    FROM named_by
),
scored AS (
    SELECT channel_id,
           relation,
           party_id,
           CAST(MAX(against_all) + SUM(weight - disagreement) AS DOUBLE) / 100 AS score,
           -- A second payer is a second witness.
           CAST(COUNT(*) FILTER (WHERE strong) + SUM(CASE WHEN strong AND payers > 1 THEN payers - 1 ELSE 0 END) AS BIGINT)
               AS strong_keys,
           CAST(COUNT(*) FILTER (WHERE strong) AS BIGINT) AS strong_kinds,
           CAST(SUM(payers) AS BIGINT) AS payers,
           MAX(keys) AS keys,
           CAST(MAX(against_all) - SUM(disagreement) AS DOUBLE) / 100 AS against_weight,
           NULLIF(array_to_string(array_except(string_to_array(MAX(naming_all), ', '), string_to_array(MAX(naming_this), ', ')), ', '), '')
               AS against
    FROM compared
    GROUP BY channel_id, relation, party_id
),
rivals AS (
    SELECT *,
           ROW_NUMBER() OVER (PARTITION BY channel_id, relation ORDER BY score DESC, strong_keys DESC, party_id) AS place,
           LEAD(score) OVER (PARTITION BY channel_id, relation ORDER BY score DESC, strong_keys DESC, party_id) AS rival_score,
           SUM(CASE WHEN strong_keys > 0 THEN 1 ELSE 0 END) OVER (PARTITION BY channel_id, relation) AS strong_parties,
           -- Several payers may copy one mistake: where they are all there is, nothing may speak against them.
           strong_keys >= 2 AND strong_kinds < 2 AND against IS NOT NULL AS outweighed
    FROM scored
),
-- Two strong keys or it is a candidate; strong keys of two parties contradict each other, however many there are.
ranked AS (
    SELECT *,
           CASE WHEN strong_keys > 0 AND strong_parties > 1 THEN 'contradictory'
                WHEN strong_keys >= 2 AND NOT outweighed THEN 'linked'
                ELSE 'candidate'
           END AS status,
           concat(keys,
                  CASE WHEN against IS NULL THEN ''
                       ELSE concat('; against it: ', against, ' ', CAST(against_weight AS VARCHAR)) END,
                  CASE WHEN outweighed AND strong_parties = 1 THEN '; so payers alone do not link it' ELSE '' END) AS reasons
    FROM rivals
)
