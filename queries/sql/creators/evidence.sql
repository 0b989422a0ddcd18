-- title: One creator's evidence
-- question: What is known of one creator, what does each piece do to the estimate, and what should be asked next?
-- param: channel text first – channel id; first takes the channel of which payers reported the most
-- param: year integer 2025 – income year
-- param: draws integer 4096 – draws, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- column: step integer – order of reading
-- column: channel_id text – channel
-- column: evidence text – estimate, link, or a kind of evidence
-- column: known text – what is known of it
-- column: shift integer – median of gross receipts with it, less the median without it, NT$; NULL where not observed
-- column: p50_without integer – that median without it, NT$
-- column: narrowing double – p90 over p10 with it, over the same without it; below 1 it narrows the range, 2 decimals
-- column: ask_next text – what an officer can ask or check next; nothing here assesses a tax
-- with: creators/links
-- with: creators/estimates
-- portable: no
WITH chosen AS (
    SELECT *
    FROM observed
    WHERE channel_id = $channel OR $channel = 'first'
    ORDER BY reported_amount DESC NULLS LAST, channel_id
    LIMIT 1
),
explained AS (
    SELECT *, influencer_income(known, draws => $draws, seed => $seed, explain => true) AS income
    FROM chosen
),
contributions AS (
    SELECT unnest(income['contributions']) AS contribution
    FROM explained
),
steps AS (
    SELECT 1 AS step,
           'estimate' AS evidence,
           CASE WHEN income['p50'] IS NULL THEN 'A minor''s channel: nothing is estimated'
                ELSE concat('Gross receipts NT$', CAST(CAST(round(income['p10']) AS BIGINT) AS VARCHAR),
                            ' to ', CAST(CAST(round(income['p90']) AS BIGINT) AS VARCHAR),
                            ' (8 in 10), median ', CAST(CAST(round(income['p50']) AS BIGINT) AS VARCHAR),
                            CASE WHEN array_length(income['flags']) > 0
                                 THEN concat('; flags: ', array_to_string(income['flags'], ', ')) ELSE '' END)
           END AS known,
           CASE WHEN income['p50'] IS NULL THEN 'Close the case'
                WHEN array_has(income['flags'], 'prior_dominated')
                THEN 'Too wide to select on: collect the missing evidence below first'
                WHEN income['undeclared_p10'] IS NULL THEN 'Link the channel before comparing it with a return'
                WHEN income['undeclared_p10'] * 10 > declared
                THEN concat('Even the low end exceeds the declared amount by more than a tenth (expected excess NT$',
                            CAST(CAST(round(income['undeclared_mean']) AS BIGINT) AS VARCHAR),
                            '): work through the rows below, largest shift first')
                ELSE 'The low end is within a tenth of the declared amount: no question follows from the estimate alone'
           END AS ask_next
    FROM explained
    UNION ALL
    SELECT 2,
           'link',
           CASE WHEN e.taxpayer_id IS NULL THEN 'No taxpayer is linked to the channel'
                ELSE concat('Taxpayer ', e.taxpayer_id, ', score ', CAST(e.link_score AS VARCHAR), ':',
                            CASE WHEN r.by_email THEN ' e-mail of the channel is in the register;' ELSE '' END,
                            CASE WHEN r.by_handle THEN ' payers name the handle;' ELSE '' END,
                            CASE WHEN r.by_title THEN ' payers name the title;' ELSE '' END,
                            ' ', CAST(r.payers AS VARCHAR), ' payers; ',
                            CASE WHEN r.rival_score IS NULL THEN 'no other taxpayer matches'
                                 ELSE concat('another taxpayer matches with score ', CAST(r.rival_score AS VARCHAR))
                            END)
           END,
           CASE WHEN e.taxpayer_id IS NULL
                THEN 'Find the owner first: business number on the channel''s pages, registered mailbox, platform'
                WHEN (CASE WHEN r.by_email THEN 1 ELSE 0 END) + r.payers < 2
                THEN 'Only one key agrees: confirm who owns the channel before asking anything else'
                WHEN r.rival_score IS NOT NULL
                THEN 'Two independent keys agree, but another taxpayer matches too: ask the payers whom they paid'
                ELSE 'Two independent keys agree; the creator can still contest the link'
           END
    FROM explained e
    LEFT JOIN ranked r ON r.channel_id = e.channel_id AND r.place = 1
    UNION ALL
    SELECT 3,
           'audience',
           concat(COALESCE(CAST(followers AS VARCHAR), 'hidden'), ' followers, ', CAST(annual_views AS VARCHAR),
                  ' views of long videos in the year, category ', COALESCE(category, 'unknown')),
           CASE WHEN followers IS NULL OR annual_views = 0
                THEN 'Ask the creator for the platform''s audience report of the year: followers, views, countries'
                ELSE 'Ask which part of the audience is abroad: it lowers the taxable part of platform revenue'
           END
    FROM explained
    UNION ALL
    SELECT 4,
           'public_documents',
           concat(CAST(sponsored_documents AS VARCHAR), ' of ', CAST(documents AS VARCHAR), ' posts look sponsored',
                  CASE WHEN group_buy_signal THEN '; group buys are announced' ELSE '' END,
                  CASE WHEN donation_signal THEN '; donations or memberships are asked for' ELSE '' END),
           CASE WHEN sponsored_documents > COALESCE(reported_deals, 0)
                THEN concat('More posts look sponsored than payers reported payments (',
                            CAST(COALESCE(reported_deals, 0) AS VARCHAR),
                            '): ask for the contracts of the posts that no payer reported')
                WHEN group_buy_signal THEN 'Ask the group-buy platform for sales and commissions of the year'
                WHEN donation_signal THEN 'Ask the payment provider for donations of the year'
                ELSE 'Nothing: payers reported at least as many payments as posts look sponsored'
           END
    FROM explained
    UNION ALL
    SELECT 5,
           'reported_statements',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                ELSE concat(CAST(reported_deals AS VARCHAR), ' payments reported, NT$', CAST(reported_amount AS VARCHAR))
           END,
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN reported_deals = 0
                THEN 'No payer filed a statement: ask the brands named in the posts, and the agency, what they paid'
                WHEN declared < reported_amount
                THEN concat('Less was declared than payers reported: ask about the difference of NT$',
                            CAST(reported_amount - declared AS VARCHAR))
                ELSE 'Match statements with posts and ask for payments in kind, which payers report least'
           END
    FROM explained
    UNION ALL
    SELECT 6,
           'remittances',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                WHEN remittance IS NULL THEN 'None reached a known account'
                ELSE concat('NT$', CAST(remittance AS VARCHAR), ' from abroad')
           END,
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN remittance IS NULL AND annual_views > 0
                THEN 'The videos are watched but no platform paid into a known account: ask where the platform pays'
                WHEN remittance > declared
                THEN concat('Platforms alone remitted NT$', CAST(remittance - declared AS VARCHAR),
                            ' more than was declared: ask how it was declared')
                WHEN remittance IS NULL THEN 'Nothing: no long video, so no advertising is expected'
                ELSE 'Compare with the platform''s payment report of the year'
           END
    FROM explained
    UNION ALL
    SELECT 7,
           'declared_income',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                ELSE concat('NT$', CAST(declared AS VARCHAR), ' declared as creator income')
           END,
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN declared = 0
                THEN 'No creator income was declared: ask whether it was declared under another category or by a company'
                WHEN income['undeclared_p10'] * 10 > declared
                THEN 'Ask which receipts the declared amount contains: statements, platforms, group buys, in kind'
                ELSE 'Nothing: the declared amount fits the other evidence'
           END
    FROM explained
)
SELECT CAST(s.step AS BIGINT) AS step,
       e.channel_id,
       s.evidence,
       s.known,
       CAST(round(c.contribution['shift']) AS BIGINT) AS shift,
       CAST(round(c.contribution['p50_without']) AS BIGINT) AS p50_without,
       round(c.contribution['narrowing'], 2) AS narrowing,
       s.ask_next
FROM steps s
CROSS JOIN explained e
LEFT JOIN contributions c ON c.contribution['evidence'] = s.evidence
ORDER BY step
