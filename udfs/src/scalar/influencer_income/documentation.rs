use super::NAME;
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

pub(super) static DOC: FunctionDoc = FunctionDoc {
    name: NAME,
    kind: FunctionKind::Scalar,
    section: "Income",
    summary: "Estimates what a creator earned in a year, with its uncertainty, from whatever is known of them.",
    description: "Draws from a Bayesian model of gross receipts (advertising, sponsorship, donations and \
memberships, group buys and affiliate commissions, the rest) in which one multiplier a creator ties prices \
together, and weighs the draws by the evidence. `evidence` is a STRUCT of any of these fields, in any order; a \
missing or NULL field is not observed and leaves the prior. \
`channel_id` VARCHAR and `year` (common era) name the row and fix its random numbers; \
`followers`; `annual_views`, long-form views in the year; `category` VARCHAR, an English or Chinese name or a \
YouTube category id; `posts` and `sponsored_posts` in the year, the latter as found in public texts; \
`donation_signal` and `group_buy_signal` BOOLEAN; `seen_deal_amounts`, a list of the gross amounts that payers \
reported (an empty list says that payers reported nothing); `remittance_twd`, what platforms remitted from \
abroad in the year (0 is not observed); `declared_income`, gross creator income declared, which is taken as a \
likelihood under a mixture of compliance and never as a floor; `foreign_audience_share` from 0 to 1; \
`is_minor` BOOLEAN, true of which excludes the row. \
Signals and reported deals raise or lower what is expected of the unseen. When too few draws agree with the \
evidence, more are made, up to eight times as many (flag `more_draws`), and then the evidence is given less weight \
(`tempered`). The same row, draws and seed give the same bits on any machine, whatever the batch, partition or \
thread. The estimate assesses no tax: it is a reason for a person to look.",
    syntax: "influencer_income(evidence [, draws => 4096 [, seed => 0 [, explain => false [, priors => …]]]])",
    arguments: &[
        ArgumentDoc {
            name: "evidence",
            sql_type: "STRUCT",
            description: "What is known, by field name, see the description. Money in NT$. Numbers of any \
                          numeric type.",
        },
        ArgumentDoc {
            name: "draws",
            sql_type: "BIGINT literal",
            description: "Draws a row, 64 to 65536; 4096 when missing or NULL. Half the draws take half the time.",
        },
        ArgumentDoc {
            name: "seed",
            sql_type: "BIGINT literal",
            description: "Any integer; 0 when missing or NULL.",
        },
        ArgumentDoc {
            name: "explain",
            sql_type: "BOOLEAN literal",
            description: "Whether to say what each kind of evidence contributes; false when missing or NULL. Takes one \
                          more estimate for every kind observed, at most six times as long.",
        },
        ArgumentDoc {
            name: "priors",
            sql_type: "LIST<STRUCT>",
            description: "What to assume before any evidence, where it differs from the built-in version: STRUCTs of \
                          `version`, `name`, `key` (may be missing), `value` and `unit`, as the rows of \
                          `income.priors`. All of one version, which the result names; a prior that is not listed \
                          keeps its built-in value. A literal, a subquery or a column. Built in when missing or an \
                          untyped NULL.",
        },
    ],
    returns: "STRUCT of DOUBLE unless said, NT$ a year: `p10`, `p50`, `p90`, `mean` of gross receipts; \
`components`, a STRUCT of `ads`, `sponsorship`, `donations`, `group_buy`, `other`, each with p10, p50, p90 and \
mean (means add up to the total, quantiles do not); `taxable_p50`, the median after the standard expense rate of \
45 % and half the platform revenue from foreign audience; `undeclared_mean`, `undeclared_p10`, \
`undeclared_p90`, receipts beyond the declared amount; `p_month_50k` and `p_month_200k`, the probability that \
the highest month's sales reach NT$50,000 (registration) and NT$200,000 (invoices); `effective_sample_size`; \
`contributions`, NULL unless `explain`, a list of STRUCT of `evidence` (audience, public_documents, \
reported_statements, remittances, declared_income; only what was observed), `shift`, the median of gross receipts \
less the median that all other evidence gives with the same draws and seed, `narrowing`, the ratio of p90 to p10 \
over the same ratio without the evidence (below 1 it narrows the range), and `p10_without`, `p50_without`, \
`p90_without`; shifts do not add up, because kinds of evidence that agree each shift little; `flags` LIST<VARCHAR> out of bad_evidence, unknown_category, conflicting_evidence, minor_excluded, \
nothing_declared, declared_below_reported, prior_dominated (p90 above six times p10), more_draws, tempered, \
low_ess (below 100), bad_priors (nothing is estimated); `prior_version` VARCHAR; `seed` BIGINT; `prior_error` \
VARCHAR, what is wrong with the row's priors, else NULL.",
    nulls: "NULL evidence gives NULL; a NULL field is not observed; without `declared_income` the undeclared \
amounts are NULL; NULL elements of `seen_deal_amounts` are left out.",
    errors: "A plan-time error: evidence that is no STRUCT, an unknown field (the nearest is offered), a field \
of a type it does not take, draws out of range, draws or seed that are no literal integers, explain that is no literal boolean; literal priors of an unknown name or key, \
without their unit, beyond its bounds, given twice, of two versions, or under the built-in version with other values. Priors from \
a column or subquery with such a fault, and a list that is NULL or empty (a version that does not exist), give NULL \
amounts, the flag `bad_priors` and the reason in `prior_error`. Bad values in a row \
(negative, NaN, infinite, absurd) count as not observed and raise `bad_evidence`; they never fail a query.",
    source: "Deals: thinned gamma-Poisson process, whose count has an exact posterior. \
Compliance: GAO-07-1014. Rules: Ministry of Finance orders of 2025-09-10 (VAT) and 2025-12-23 (income tax). \
Priors: tariffs and CPM tables of Taiwan, each value with its source, its range and how far it is trusted in `income.priors`; many are low.",
    examples: &[
        Example {
            sql: "SELECT round(e['p10']) AS p10, round(e['p50']) AS p50, round(e['p90']) AS p90, e['flags'] AS flags \
                  FROM (SELECT influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000, \
                  'annual_views', 3000000, 'category', 'food'), draws => 1024, seed => 7) AS e)",
            result: "\
+----------+----------+-----------+-------------------+
| p10      | p50      | p90       | flags             |
+----------+----------+-----------+-------------------+
| 224090.0 | 752694.0 | 2333193.0 | [prior_dominated] |
+----------+----------+-----------+-------------------+",
        },
        Example {
            sql: "SELECT round(e['p10']) AS p10, round(e['p90']) AS p90, round(e['undeclared_mean']) AS undeclared \
                  FROM (SELECT influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000, \
                  'annual_views', 3000000, 'category', 'food', 'seen_deal_amounts', [42000, 60000], \
                  'remittance_twd', 150000, 'declared_income', 180000), draws => 1024, seed => 7) AS e)",
            result: "\
+----------+----------+------------+
| p10      | p90      | undeclared |
+----------+----------+------------+
| 266719.0 | 685272.0 | 267876.0   |
+----------+----------+------------+",
        },
        Example {
            sql: "SELECT c['evidence'] AS evidence, round(c['shift']) AS shift, round(c['narrowing'], 2) AS narrowing \
                  FROM (SELECT unnest(influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000, \
                  'annual_views', 3000000, 'category', 'food', 'sponsored_posts', 6, 'seen_deal_amounts', [42000, 60000], \
                  'remittance_twd', 150000, 'declared_income', 180000), draws => 1024, seed => 7, explain => true)\
                  ['contributions']) AS c)",
            result: "\
+---------------------+-----------+-----------+
| evidence            | shift     | narrowing |
+---------------------+-----------+-----------+
| audience            | 40036.0   | 1.03      |
| public_documents    | 255853.0  | 0.9       |
| reported_statements | -153762.0 | 0.68      |
| remittances         | 23367.0   | 0.84      |
| declared_income     | -96425.0  | 0.85      |
+---------------------+-----------+-----------+",
        },
        Example {
            sql: "SELECT round(e['p50']) AS p50, e['prior_version'] AS prior_version FROM (SELECT \
                  influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000, 'annual_views', 3000000, \
                  'category', 'food'), draws => 1024, seed => 7, priors => [named_struct('version', 'office trial', \
                  'name', 'ads_per_thousand', 'key', '', 'value', 63.0, 'unit', 'NT$ per 1000 views')]) AS e)",
            result: "\
+----------+---------------+
| p50      | prior_version |
+----------+---------------+
| 862122.0 | office trial  |
+----------+---------------+",
        },
    ],
};
