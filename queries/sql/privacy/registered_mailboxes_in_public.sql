-- title: Registered mailboxes in public texts
-- question: Whose e-mail address from the tax register also stands in public, so that a text points to a taxpayer?
-- column: source text – table of the text
-- column: documents integer – texts with a registered address
-- column: taxpayers integer – taxpayers they point to
-- column: channels integer – channels they belong to; NULL where the table does not say
-- portable: no
WITH mailboxes AS (
    SELECT 'third_party.channel_raw' AS source,
           id AS document,
           id AS channel_id,
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1] AS email
    FROM third_party.channel_raw
    UNION ALL
    SELECT 'third_party.video_raw',
           id,
           snippet['channelId'],
           regexp_match(snippet['description'], '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1]
    FROM third_party.video_raw
    UNION ALL
    SELECT 'third_party.page_raw',
           path,
           CAST(NULL AS VARCHAR),
           regexp_match(content, '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]')[1]
    FROM third_party.page_raw
)
SELECT m.source,
       COUNT(DISTINCT m.document) AS documents,
       COUNT(DISTINCT t.taxpayer_id) AS taxpayers,
       CASE WHEN COUNT(m.channel_id) > 0 THEN COUNT(DISTINCT m.channel_id) END AS channels
FROM mailboxes m
JOIN tax.taxpayer t ON t.email = m.email
GROUP BY m.source
ORDER BY documents DESC, m.source
