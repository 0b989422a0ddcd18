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
-- with: creators/links
-- portable: no
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
