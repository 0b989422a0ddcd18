-- title: One creator's evidence
-- question: What is known of one creator, what does each piece do to the estimate, and what should be asked next?
-- param: channel text first – channel id; first takes the channel of which payers reported the most
-- param: year integer 2025 – income year
-- param: draws integer 4096 – draws, 64 to 65536
-- param: seed integer 0 – any number; the same seed gives the same answer
-- column: step integer – order of reading
-- column: channel_id text – channel
-- column: evidence text – estimate, link, agency, or a kind of evidence
-- column: known text – what is known of it
-- column: shift integer – median of gross receipts with it, less the median without it, NT$; NULL where not observed
-- column: p50_without integer – that median without it, NT$
-- column: narrowing double – p90 over p10 with it, over the same without it; below 1 it narrows the range, 2 decimals
-- column: would_narrow double – of remittances that are not observed: p90 over p10 if the platforms proved to have paid what the rest expects, over p90 over p10 now; below 1 it is worth asking for, 2 decimals
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
-- The same creator, if the platforms' payments were known and were what the rest lets expect. Everything is taken from this one row: what
-- is known of a creator is a long query.
supposed AS (
    SELECT *,
           CASE WHEN remittance IS NULL AND income['components']['ads']['p50'] > 0 THEN influencer_income(
               named_struct(
                   'channel_id', channel_id,
                   'year', CAST($year AS BIGINT),
                   'followers', followers,
                   'annual_views', annual_views,
                   'category', category,
                   'posts', documents,
                   'sponsored_posts', sponsored_documents,
                   'donation_signal', donation_signal,
                   'group_buy_signal', group_buy_signal,
                   'seen_deal_amounts', deal_amounts,
                   'remittance_twd', income['components']['ads']['p50'] + 0.7 * income['components']['donations']['p50'],
                   'declared_income', declared,
                   'is_minor', is_minor
               ),
               draws => $draws,
               seed => $seed
           ) END AS then
    FROM explained
),
told AS (
    SELECT channel_id,
           CASE WHEN then['p10'] > 0 AND income['p10'] > 0
                THEN then['p90'] / then['p10'] / (income['p90'] / income['p10']) END AS promised,
           -- Without any, a row without one.
           CASE WHEN array_length(income['contributions']) > 0 THEN income['contributions'] END AS contributions,
           unnest(make_array(
               named_struct('step', 1, 'evidence', 'estimate', 'known',
           CASE WHEN income['p50'] IS NULL THEN 'A minor''s channel: nothing is estimated'
                ELSE concat('Gross receipts NT$', CAST(CAST(round(income['p10']) AS BIGINT) AS VARCHAR),
                            ' to ', CAST(CAST(round(income['p90']) AS BIGINT) AS VARCHAR),
                            ' (8 in 10), median ', CAST(CAST(round(income['p50']) AS BIGINT) AS VARCHAR),
                            '; on average ', CAST(CAST(round(income['components']['sponsorship']['mean']) AS BIGINT) AS VARCHAR),
                            ' from sponsors, ', CAST(CAST(round(income['components']['ads']['mean']) AS BIGINT) AS VARCHAR),
                            ' advertising, ', CAST(CAST(round(income['components']['donations']['mean']) AS BIGINT) AS VARCHAR),
                            ' donations and memberships, ',
                            CAST(CAST(round(income['components']['group_buy']['mean']) AS BIGINT) AS VARCHAR),
                            ' group buys and commissions, ',
                            CAST(CAST(round(income['components']['other']['mean']) AS BIGINT) AS VARCHAR), ' other',
                            CASE WHEN array_length(income['flags']) > 0
                                 THEN concat('; flags: ', array_to_string(income['flags'], ', ')) ELSE '' END,
                            '; priors ', income['prior_version'], ', seed ', CAST(income['seed'] AS VARCHAR))
           END,
           'ask_next',
           CASE WHEN income['p50'] IS NULL THEN 'Close the case'
                WHEN array_has(income['flags'], 'prior_dominated')
                THEN 'Too wide to select on: collect the missing evidence below first'
                WHEN array_has(income['flags'], 'conflicting_evidence')
                THEN 'The pieces hardly belong to one creator (payments too high or too many for such reach, or none watching): check first that the payments and remittances below are this channel''s'
                WHEN income['undeclared_p10'] IS NULL THEN 'Link the channel before comparing it with a return'
                WHEN income['undeclared_p10'] * 10 > declared
                THEN concat('Even the low end (9 in 10 say more) exceeds the declared amount by more than a tenth (expected excess NT$',
                            CAST(CAST(round(income['undeclared_mean']) AS BIGINT) AS VARCHAR),
                            '): work through the rows below, largest shift first')
                WHEN income['undeclared_mean'] * 10 > declared
                THEN concat('The declared amount can be right, yet NT$', CAST(CAST(round(income['undeclared_mean']) AS BIGINT) AS VARCHAR),
                            ' more are expected: the estimate alone is no reason to doubt the return; ask for what the rows below miss')
                ELSE 'The declared amount fits: no question follows from the estimate alone'
           END),
               named_struct('step', 2, 'evidence', 'link', 'known',
           CASE WHEN taxpayer_id IS NOT NULL
                THEN concat(CASE WHEN link_status = 'linked' THEN 'Linked to taxpayer ' ELSE 'Perhaps taxpayer ' END,
                            taxpayer_id, ' (score ', CAST(link_score AS VARCHAR), '): ', link_reasons,
                            CASE WHEN rival_score IS NULL THEN ''
                                 ELSE concat('; the next taxpayer has score ', CAST(rival_score AS VARCHAR)) END)
                WHEN link_status = 'contradictory'
                THEN concat('Contradictory: ', CAST(strong_parties AS VARCHAR), ' taxpayers have strong keys, first ', first_party,
                            ' by ', link_reasons)
                WHEN first_party IS NOT NULL THEN 'Several taxpayers match equally, none strongly'
                ELSE 'No taxpayer shares a key with the channel'
           END,
           'ask_next',
           CASE WHEN taxpayer_id IS NOT NULL AND link_status = 'linked' AND against_link IS NULL
                THEN 'Nothing: two independent strong keys agree; the creator can still contest the link'
                WHEN taxpayer_id IS NOT NULL AND link_status = 'linked'
                THEN concat('Two independent strong keys agree, yet ', against_link, ': ask the creator how that comes')
                WHEN taxpayer_id IS NOT NULL AND strong_keys >= 2
                THEN concat('Confirm who owns the channel before asking anything else: payers alone name this taxpayer, and ',
                            against_link)
                WHEN taxpayer_id IS NOT NULL AND against_link IS NOT NULL
                THEN concat('Confirm who owns the channel before asking anything else: at most one strong key agrees, and ',
                            against_link)
                WHEN taxpayer_id IS NOT NULL
                THEN 'Confirm who owns the channel before asking anything else: at most one strong key agrees'
                WHEN link_status = 'contradictory'
                THEN 'Ask each of them who runs the channel, and the payers whom they paid; see creators/channel_links'
                ELSE 'Find the owner first: business number on the channel''s pages, registered account, platform'
           END),
               named_struct('step', 3, 'evidence', 'agency', 'known',
           CASE WHEN agency_id IS NULL THEN 'No agency is named'
                ELSE concat('Represented by ', agency_id, ': ', agency_reasons) END,
           'ask_next',
           CASE WHEN agency_id IS NULL THEN 'Nothing'
                ELSE 'Ask the agency what brands paid, what it kept and what it passed on; it is not the creator (name: ref.agency)'
           END),
               named_struct('step', 4, 'evidence', 'audience', 'known',
           concat(CASE WHEN followers < 0 THEN 'unreadable' ELSE COALESCE(CAST(followers AS VARCHAR), 'hidden') END, ' followers, ',
                  CASE WHEN annual_views < 0 THEN 'unreadable' ELSE COALESCE(CAST(annual_views AS VARCHAR), 'hidden') END,
                  ' views of long videos in the year, category ', COALESCE(category, 'unknown')),
           'ask_next',
           CASE WHEN followers IS NULL OR followers < 0 OR COALESCE(annual_views, 0) <= 0
                THEN 'Ask the creator for the platform''s audience report of the year: followers, views, countries'
                ELSE 'Ask which part of the audience is abroad: it lowers the taxable part of platform revenue'
           END),
               named_struct('step', 5, 'evidence', 'public_documents', 'known',
           concat(CAST(sponsored_documents AS VARCHAR), ' of ', CAST(documents AS VARCHAR), ' posts look sponsored',
                  CASE WHEN group_buy_signal THEN '; group buys are announced' ELSE '' END,
                  CASE WHEN donation_signal THEN '; donations or memberships are asked for' ELSE '' END),
           'ask_next',
           CASE WHEN sponsored_documents > COALESCE(reported_deals, 0)
                THEN concat('More posts look sponsored than payers reported payments (',
                            CAST(COALESCE(reported_deals, 0) AS VARCHAR),
                            '): ask for the contracts of the posts that no payer reported')
                WHEN group_buy_signal THEN 'Ask the group-buy platform for sales and commissions of the year'
                WHEN donation_signal THEN 'Ask the payment provider for donations of the year'
                ELSE 'Nothing: payers reported at least as many payments as posts look sponsored'
           END),
               named_struct('step', 6, 'evidence', 'reported_statements', 'known',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                ELSE concat(CAST(reported_deals AS VARCHAR), ' payments reported, NT$', CAST(reported_amount AS VARCHAR))
           END,
           'ask_next',
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN reported_deals = 0
                THEN 'No payer filed a statement: ask the brands named in the posts, and the agency, what they paid'
                WHEN declared < reported_amount
                THEN concat('Less was declared than payers reported: ask about the difference of NT$',
                            CAST(reported_amount - declared AS VARCHAR))
                ELSE 'Match statements with posts and ask for payments in kind, which payers report least'
           END),
               named_struct('step', 7, 'evidence', 'remittances', 'known',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                WHEN remittance IS NULL THEN 'None reached a known account'
                ELSE concat('NT$', CAST(remittance AS VARCHAR), ' from abroad')
           END,
           'ask_next',
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN remittance IS NULL AND annual_views > 0
                THEN 'The videos are watched but no platform paid into a known account: ask where the platform pays'
                WHEN remittance > declared
                THEN concat('Platforms alone remitted NT$', CAST(remittance - declared AS VARCHAR),
                            ' more than was declared: ask how it was declared')
                WHEN remittance IS NULL THEN 'Nothing: no views of long videos are known, so none to compare with'
                ELSE 'Compare with the platform''s payment report of the year'
           END),
               named_struct('step', 8, 'evidence', 'declared_income', 'known',
           CASE WHEN taxpayer_id IS NULL THEN 'Not known without a link'
                ELSE concat('NT$', CAST(declared AS VARCHAR), ' declared as creator income')
           END,
           'ask_next',
           CASE WHEN taxpayer_id IS NULL THEN 'Link the channel first'
                WHEN declared = 0
                THEN 'No creator income was declared: ask whether it was declared under another category or by a company'
                WHEN income['undeclared_p10'] * 10 > declared
                THEN 'Ask which receipts the declared amount contains: statements, platforms, group buys, in kind'
                ELSE 'Nothing: the declared amount fits the other evidence'
           END)
           )) AS told
    FROM supposed
),
contributions AS (
    SELECT CAST(told['step'] AS BIGINT) AS step,
           channel_id,
           told['evidence'] AS evidence,
           told['known'] AS known,
           told['ask_next'] AS ask_next,
           promised,
           unnest(contributions) AS contribution
    FROM told
)
SELECT step,
       channel_id,
       evidence,
       known,
       CAST(round(MAX(CASE WHEN contribution['evidence'] = evidence THEN contribution['shift'] END)) AS BIGINT) AS shift,
       CAST(round(MAX(CASE WHEN contribution['evidence'] = evidence THEN contribution['p50_without'] END)) AS BIGINT) AS p50_without,
       round(MAX(CASE WHEN contribution['evidence'] = evidence THEN contribution['narrowing'] END), 2) AS narrowing,
       CASE WHEN evidence = 'remittances' THEN round(promised, 2) END AS would_narrow,
       ask_next
FROM contributions
GROUP BY step, channel_id, evidence, known, promised, ask_next
ORDER BY step
