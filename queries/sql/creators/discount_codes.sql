-- title: Discount codes across channels
-- question: Which discount codes do creators pass on, and which are shared, so that one brand pays several?
-- param: minimum_documents integer 1 – fewest videos and posts with the code
-- column: code text – as written, in capitals
-- column: channels integer – channels that use it
-- column: documents integer – videos and posts with it
-- column: first_year integer – first year seen
-- column: last_year integer – last year seen
-- column: first_channel text – the smallest channel id among them
-- portable: no
WITH channels AS (
    SELECT id AS channel_id, snippet['customUrl'] AS handle
    FROM third_party.channel_raw
),
texts AS (
    SELECT snippet['channelId'] AS channel_id,
           id AS document_id,
           TRY_CAST(substr(snippet['publishedAt'], 1, 4) AS BIGINT) AS year,
           snippet['description'] AS body
    FROM third_party.video_raw
    UNION ALL
    SELECT c.channel_id,
           p.id,
           CAST(EXTRACT(YEAR FROM to_timestamp_seconds(COALESCE(p.taken_at, p."createTime"))) AS BIGINT),
           COALESCE(p.caption, p."desc")
    FROM third_party.post_raw p
    JOIN channels c ON c.handle = COALESCE(p.owner['username'], p.author['uniqueId'])
),
codes AS (
    SELECT channel_id, document_id, year, unnest(sponsor_signals(body)['discount_codes']) AS code
    FROM texts
)
SELECT upper(code) AS code,
       COUNT(DISTINCT channel_id) AS channels,
       COUNT(DISTINCT document_id) AS documents,
       MIN(year) AS first_year,
       MAX(year) AS last_year,
       MIN(channel_id) AS first_channel
FROM codes
GROUP BY upper(code)
HAVING COUNT(DISTINCT document_id) >= $minimum_documents
ORDER BY channels DESC, documents DESC, code
