-- title: Whose channel is it?
-- question: Which taxpayer stands behind each channel, which agency represents it, and on what grounds?
-- param: minimum_score decimal 1 – weakest link listed, contradictory ones aside: the sum of the weights in income.link_weights
-- column: channel_id text – channel
-- column: title text – its name
-- column: handle text – its handle
-- column: relation text – owner, or represented_by for agencies, which are never the owner
-- column: party_id text – taxpayer, or agency
-- column: status text – linked: two strong keys; candidate: fewer, or payers alone against other evidence, ask before acting; contradictory: strong keys of several parties
-- column: score double – sum of the weights of keys that agree and of those that point to another, bits, 2 decimals
-- column: strong_keys integer – independent strong keys that agree; each payer is one
-- column: payers integer – payers whose statements name the channel
-- column: rival_score double – of the next party; NULL where there is none
-- column: reasons text – each key with its weight, and what speaks against it: the evidence that names others alone, and whom
-- with: creators/links
-- portable: no
SELECT r.channel_id,
       c.title,
       c.handle,
       r.relation,
       r.party_id,
       r.status,
       r.score,
       r.strong_keys,
       r.payers,
       r.rival_score,
       r.reasons
FROM ranked r
JOIN channels c ON c.channel_id = r.channel_id
WHERE r.status = 'contradictory' OR r.place = 1 AND r.score >= $minimum_score
ORDER BY r.channel_id, r.relation, r.place
