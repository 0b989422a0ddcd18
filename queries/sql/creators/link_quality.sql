-- title: Quality of the links
-- question: How many of the links from channels to taxpayers and agencies are right, and how many owners are found, by status and by evidence?
-- column: grouping text – status, or evidence
-- column: relation text – owner or represented_by
-- column: name text – status, or kind of evidence
-- column: links integer – pairs of channel and party; by status only the best of a channel
-- column: correct integer – of these, the true owner or agency
-- column: precision_percent double – correct, of the links, 1 decimal
-- column: recall_percent double – correct, of all channels with such a party, 1 decimal
-- with: creators/links
-- portable: no
WITH truth AS (
    SELECT channel_id, 'owner' AS relation, taxpayer_id AS party_id FROM truth.link
    UNION ALL
    SELECT channel_id, 'represented_by', agency_id FROM truth.agency
),
owned AS (
    SELECT relation, COUNT(*) AS channels
    FROM truth
    GROUP BY relation
),
claims AS (
    SELECT 'status' AS grouping, relation, status AS name, channel_id, party_id FROM ranked WHERE place = 1
    UNION ALL
    SELECT 'evidence', relation, evidence, channel_id, party_id FROM agreements
),
judged AS (
    SELECT c.grouping,
           c.relation,
           c.name,
           COUNT(*) AS links,
           COUNT(t.channel_id) AS correct
    FROM claims c
    LEFT JOIN truth t ON t.channel_id = c.channel_id AND t.relation = c.relation AND t.party_id = c.party_id
    GROUP BY c.grouping, c.relation, c.name
)
SELECT j.grouping,
       j.relation,
       j.name,
       j.links,
       j.correct,
       round(CAST(j.correct AS DOUBLE) * 100 / j.links, 1) AS precision_percent,
       round(CAST(j.correct AS DOUBLE) * 100 / o.channels, 1) AS recall_percent
FROM judged j
JOIN owned o ON o.relation = j.relation
ORDER BY j.grouping DESC, j.relation, j.name
