-- title: Personal data in collected texts
-- question: Which collected pages, posts and descriptions hold identifiers, phone numbers, mailboxes or account hints?
-- column: source text – table
-- column: kind text – national_id, mobile_phone, email or bank_account
-- column: documents integer – documents that hold it
-- column: matches integer – how many in all
-- column: first_document text – the smallest name or number among them
-- column: masked_example text – from that document, all but the first two characters struck out
-- portable: no
WITH texts AS (
    SELECT 'third_party.page_raw' AS source, path AS document, content AS body
    FROM third_party.page_raw
    UNION ALL
    SELECT 'third_party.post_raw', id, COALESCE(caption, "desc")
    FROM third_party.post_raw
    UNION ALL
    SELECT 'third_party.video_raw', id, snippet['description']
    FROM third_party.video_raw
    UNION ALL
    SELECT 'third_party.channel_raw', id, snippet['description']
    FROM third_party.channel_raw
),
patterns AS (
    SELECT 'national_id' AS kind, '[A-Z][12][0-9]{8}' AS pattern
    UNION ALL
    SELECT 'mobile_phone', '09[0-9]{2}-?[0-9]{3}-?[0-9]{3}'
    UNION ALL
    SELECT 'email', '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.-]*[A-Za-z0-9]'
    UNION ALL
    SELECT 'bank_account', '(匯款|轉帳|戶名|帳號|銀行代碼)[^\n<]{0,20}'
),
found AS (
    SELECT t.source,
           p.kind,
           t.document,
           regexp_count(t.body, p.pattern) AS matches,
           regexp_replace(regexp_match(t.body, concat('(', p.pattern, ')'))[1], '(.{2}).*', '\1***') AS masked,
           regexp_match(t.body, concat('(', p.pattern, ')'))[1] AS first_match
    FROM texts t
    CROSS JOIN patterns p
    WHERE regexp_like(t.body, p.pattern)
),
kept AS (
    SELECT source,
           kind,
           document,
           matches,
           masked,
           ROW_NUMBER() OVER (PARTITION BY source, kind ORDER BY document) AS place
    FROM found
    WHERE kind <> 'national_id' OR tw_id_valid(first_match)
)
SELECT source,
       kind,
       COUNT(*) AS documents,
       CAST(SUM(matches) AS BIGINT) AS matches,
       MIN(document) AS first_document,
       MIN(CASE WHEN place = 1 THEN masked END) AS masked_example
FROM kept
GROUP BY source, kind
ORDER BY documents DESC, source, kind
