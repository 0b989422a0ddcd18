//! The draws of many rows as data, for a device that makes them elsewhere.

use std::error::Error;
use std::ops::Range;

use rayon::prelude::*;

use super::draw::COLUMNS;
use super::estimate::{Estimate, summarised};
use super::explain::{Contribution, EvidenceKind};
use super::model::Model;
use super::months::MOST_TOGETHER;
use super::posterior::Posterior;
use super::{Evidence, Flags, Priors};

/// Words of eight bytes that describe a row.
pub const ROW_WORDS: usize = 67;
/// Columns of draws: advertising, sponsorship, donations, group buys, everything else, total, taxable, how many of the
/// monthly thresholds are reached, and the logarithm of the weight.
pub const DRAW_COLUMNS: usize = COLUMNS;
/// Estimates that are worked on together: what a device takes to be busy, and the memory of their draws.
const TOGETHER: usize = 256;

/// Words that are places in tables.
const LN_PROBABILITIES: usize = 2;
const DEALS_TABLE: usize = 7;
const CAMPAIGNS_TABLE: usize = 11;

const REACH_UNKNOWN: u64 = 1;
const FOLLOWERS_UNKNOWN: u64 = 2;
const DEALS_WEIGH: u64 = 4;
const NARROW_DEALS: u64 = 8;
const NARROW_CAMPAIGNS: u64 = 16;
const REMITTED: u64 = 32;
const DECLARED: u64 = 64;

/// Rows to draw from, and the tables they share.
#[derive(Debug, Default)]
pub struct Rows {
    words: Vec<[u64; ROW_WORDS]>,
    thresholds: Vec<u32>,
    ln_probabilities: Vec<f64>,
    models: Vec<Model>,
}

/// Some of the rows of a [`Rows`].
#[derive(Debug)]
pub struct RowsPart<'a> {
    words: &'a [[u64; ROW_WORDS]],
    /// Where its thresholds and its probabilities begin in all.
    firsts: [u64; 2],
    /// Tables of counts: words below the first give the first number, and so on.
    pub thresholds: &'a [u32],
    /// How probable the deals known are in each range of unknown followers.
    pub ln_probabilities: &'a [f64],
}

impl RowsPart<'_> {
    /// A row each, in the layout that the kernel documents; the places of tables in it are places in those here.
    pub fn words(&self) -> impl Iterator<Item = [u64; ROW_WORDS]> {
        let [first_threshold, first_probability] = self.firsts;
        self.words.iter().map(move |words| {
            let mut words = *words;
            words[DEALS_TABLE] -= first_threshold;
            words[CAMPAIGNS_TABLE] -= first_threshold;
            words[LN_PROBABILITIES] -= first_probability;
            words
        })
    }
}

/// Something that draws. It makes the bits that [`Rows::run`] does.
pub trait DrawDevice: Send + Sync {
    /// Makes these draws of every row: row after row, [`DRAW_COLUMNS`] columns each.
    ///
    /// # Errors
    /// When the device fails; the draws may then be made elsewhere.
    fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>>;
}

/// The table by which months are told from a word, eight entries for each number of parts from none to eight.
#[must_use]
pub fn month_table() -> Vec<u32> {
    MOST_TOGETHER.as_flattened().to_vec()
}

impl Rows {
    /// Rows of evidence, less those of which nothing may be estimated.
    #[must_use]
    pub fn new(evidence: &[Evidence], priors: &Priors, seed: u64) -> Self {
        let mut rows = Self::default();
        for evidence in evidence.iter().filter(|evidence| evidence.minor != Some(true)) {
            rows.push(Model::new(evidence, priors, seed, &mut Flags::default()));
        }
        rows
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.len()
    }

    /// Some of the rows, with the tables that they alone use; `None` where there are no such rows.
    #[must_use]
    pub fn part(&self, taken: Range<usize>) -> Option<RowsPart<'_>> {
        let words = self.words.get(taken.clone())?;
        // The tables of a row come after those of the row before.
        let start = |place: usize, row: usize, end: usize| {
            self.words.get(row).map_or(end, |words| usize::try_from(words[place]).unwrap_or(end))
        };
        let range = |place: usize, end: usize| start(place, taken.start, end)..start(place, taken.end, end);
        let thresholds = range(DEALS_TABLE, self.thresholds.len());
        let ln_probabilities = range(LN_PROBABILITIES, self.ln_probabilities.len());
        Some(RowsPart {
            words,
            firsts: [thresholds.start as u64, ln_probabilities.start as u64],
            thresholds: self.thresholds.get(thresholds)?,
            ln_probabilities: self.ln_probabilities.get(ln_probabilities)?,
        })
    }

    fn push(&mut self, model: Model) {
        let words = self.words_of(&model);
        self.words.push(words);
        self.models.push(model);
    }

    /// Makes the draws on all threads of the current rayon pool, in the layout of [`DrawDevice::draw`].
    #[must_use]
    pub fn run(&self, draws: Range<u32>) -> Vec<f64> {
        let count = draws.len();
        let mut found = vec![0.0; count * COLUMNS * self.models.len()];
        found.par_chunks_mut((count * COLUMNS).max(1)).zip(&self.models).for_each(|(found, model)| {
            let mut place = 0;
            model.blocks(draws.clone(), |outcomes, drawn| {
                for (column, block) in found.chunks_exact_mut(count).zip(outcomes.columns()) {
                    column[place..place + drawn].copy_from_slice(&block[..drawn]);
                }
                place += drawn;
            });
        });
        found
    }

    /// The row in words, once its tables are among the others.
    fn words_of(&mut self, model: &Model) -> [u64; ROW_WORDS] {
        let ln_probabilities = self.ln_probabilities.len() as u64;
        self.ln_probabilities.extend_from_slice(model.deals.unseen.ln_probabilities());
        let mut table = |counts: &super::counts::Counts| {
            let (least, step, length, thresholds) = counts.table();
            let first = self.thresholds.len() as u64;
            self.thresholds.extend_from_slice(thresholds);
            [first, length as u64, least.to_bits(), step.to_bits()]
        };
        let (deals, campaigns) = (table(&model.deals.unseen), table(&model.campaigns));
        let whole = [model.donates_below, model.sells_below, model.member_below];
        let remittance = model.remittance;
        let strange_below = remittance.map_or(0, |remittance| remittance.strange_below);
        let [low, high] = model.key.words().map(u64::from);
        let seen = model.deals.seen.map_or([0.0; 2], |seen| [seen.count, seen.sum]);
        let pair = |amount: super::model::Lognormal| [amount.location, amount.spread];
        let numbers: [&[f64]; 16] = [
            &[model.ln_followers.mean, model.ln_followers.spread],
            &pair(model.ln_views),
            &[model.views_slope, model.prices.intercept, model.prices.slope, model.prices.ln_least],
            &[model.price_gain, model.multiplier_spread, model.mean_ln_price, model.half_price_precision],
            &seen,
            &model.deals.sum.parameters(),
            &[model.common_loading],
            &[pair(model.affiliate), pair(model.other)].concat(),
            &[model.fan_funded_from, model.donation_loading],
            &[pair(model.donation), pair(model.membership), pair(model.campaign)].concat(),
            &model.campaign_sum.parameters(),
            &[model.shares_ads_from],
            &pair(model.ads),
            &remittance
                .map_or([0.0; 4], |one| [one.ln_amount, one.spread, one.strange_spread, one.donations]),
            &model.compliance.as_ref().map_or([0.0; 11], super::likelihood::Compliance::parameters),
            &[model.peak_season, model.taxable_share, model.platform_contribution],
        ];
        let words = [high << 32 | low, flags(model), ln_probabilities]
            .into_iter()
            .chain(whole.into_iter().chain([strange_below]).map(u64::from))
            .chain(deals)
            .chain(campaigns)
            .chain(numbers.into_iter().flatten().map(|number| number.to_bits()));
        let mut row = [0; ROW_WORDS];
        row.iter_mut().zip(words).for_each(|(to, word)| *to = word);
        row
    }
}

fn flags(model: &Model) -> u64 {
    let followers_unknown = model.ln_followers.spread > 0.0;
    let flag = |holds: bool, flag: u64| if holds { flag } else { 0 };
    flag(!model.reach_known, REACH_UNKNOWN)
        | flag(followers_unknown, FOLLOWERS_UNKNOWN)
        | flag(followers_unknown && model.deals.informative(), DEALS_WEIGH)
        | flag(model.deals.sum.is_narrow(), NARROW_DEALS)
        | flag(model.campaign_sum.is_narrow(), NARROW_CAMPAIGNS)
        | flag(model.remittance.is_some(), REMITTED)
        | flag(model.compliance.is_some(), DECLARED)
}

/// A row's estimate, or the one without a kind of evidence.
struct Task {
    row: usize,
    without: Option<EvidenceKind>,
    evidence: Evidence,
    posterior: Posterior,
}

/// [`super::estimate_all`], to the bit, with the draws on `device` and the rest on all threads of the current rayon
/// pool.
///
/// # Errors
/// Those of the device.
pub fn estimate_batch(
    rows: &[Option<Evidence>],
    priors: &Priors,
    draws: u32,
    seed: u64,
    explain: bool,
    device: &dyn DrawDevice,
) -> Result<Vec<Option<Estimate>>, Box<dyn Error + Send + Sync>> {
    let mut estimates: Vec<Option<Estimate>> = vec![None; rows.len()];
    let mut tasks = Vec::new();
    for (row, evidence) in rows.iter().enumerate() {
        let Some(evidence) = evidence else { continue };
        let task = |without: Option<EvidenceKind>| Task {
            row,
            without,
            evidence: without.map_or_else(|| evidence.clone(), |kind| kind.left_out_of(evidence)),
            posterior: Posterior::default(),
        };
        let observed = EvidenceKind::ALL.into_iter().filter(|kind| explain && kind.observed(evidence));
        tasks.push(task(None));
        tasks.extend(observed.map(|kind| task(Some(kind))));
        if tasks.len() >= TOGETHER {
            finish(std::mem::take(&mut tasks), &mut estimates, (priors, draws, seed, explain), device)?;
        }
    }
    finish(tasks, &mut estimates, (priors, draws, seed, explain), device)?;
    Ok(estimates)
}

/// Estimates of tasks; those without a kind of evidence come after that with all.
fn finish(
    mut tasks: Vec<Task>,
    estimates: &mut [Option<Estimate>],
    (priors, draws, seed, explain): (&Priors, u32, u64, bool),
    device: &dyn DrawDevice,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut open: Vec<(&mut Task, Model)> = tasks
        .par_iter_mut()
        .filter_map(|task| {
            let model = task.posterior.begin(&task.evidence, priors, seed)?;
            Some((task, model))
        })
        .collect();
    let mut range = 0..draws;
    while !open.is_empty() {
        let (waiting, models): (Vec<&mut Task>, Vec<Model>) = open.into_iter().unzip();
        let mut data = Rows::default();
        models.into_iter().for_each(|model| data.push(model));
        let (count, made) = (range.len(), range.end);
        let found = device.draw(&data, range.clone())?;
        let mut next = None;
        let settled: Vec<(&mut Task, Model, Option<Range<u32>>)> = waiting
            .into_par_iter()
            .zip(data.models)
            .zip(found.par_chunks((count * COLUMNS).max(1)))
            .map(|((task, model), found)| {
                task.posterior.take(found, count);
                let more = task.posterior.settle(&model, draws, made);
                (task, model, more)
            })
            .collect();
        open = Vec::new();
        for (task, model, more) in settled {
            if let Some(more) = more {
                // All have made as many draws, so all that need more need the same.
                next = Some(more);
                open.push((task, model));
            }
        }
        range = next.unwrap_or(0..0);
    }
    for (task, found) in
        tasks.par_iter().map(|task| (task, summarised(&task.posterior, &task.evidence))).collect::<Vec<_>>()
    {
        let estimate = &mut estimates[task.row];
        match (task.without, estimate.as_mut()) {
            (None, _) => {
                let contributions = found.amounts.as_ref().filter(|_| explain).map(|_| Vec::new());
                *estimate = Some(Estimate { contributions, ..found });
            }
            (Some(kind), Some(Estimate { amounts: Some(with), contributions: Some(contributions), .. })) => {
                let without = found.amounts.map(|without| without.total);
                contributions.extend(without.map(|without| Contribution::new(kind, with.total, without)));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{estimate_all, simulate};
    use super::*;

    struct Processor;

    impl DrawDevice for Processor {
        fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
            Ok(rows.run(draws))
        }
    }

    struct Broken;

    impl DrawDevice for Broken {
        fn draw(&self, _: &Rows, _: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
            Err("out of order".into())
        }
    }

    #[test]
    fn a_batch_on_a_device_is_each_row_alone() {
        let priors = Priors::default();
        let mut rows: Vec<Option<Evidence>> =
            (0..90).map(|i| (i % 7 != 3).then(|| simulate(&priors, 5, i).evidence)).collect();
        rows.push(Some(Evidence::default()));
        rows.push(Some(Evidence { minor: Some(true), ..Evidence::default() }));
        rows.push(Some(Evidence { declared_income: Some(9e12), ..Evidence::default() }));
        for explain in [false, true] {
            let batch = estimate_batch(&rows, &priors, 200, 9, explain, &Processor).expect("it draws");
            assert_eq!(batch, estimate_all(&rows, &priors, 200, 9, explain));
        }
        assert!(estimate_batch(&rows, &priors, 200, 9, false, &Broken).is_err());
        assert_eq!(estimate_batch(&[], &priors, 200, 9, true, &Broken).ok(), Some(Vec::new()));
    }

    #[test]
    fn parts_have_the_tables_of_their_rows() {
        let evidence: Vec<Evidence> = (0..7)
            .map(|index| {
                let evidence = simulate(&Priors::default(), 5, index).evidence;
                Evidence { followers: evidence.followers.filter(|_| index % 3 > 0), ..evidence }
            })
            .collect();
        let rows = Rows::new(&evidence, &Priors::default(), 0);
        for (first, last) in [(0, 7), (0, 1), (2, 5), (6, 7), (3, 3)] {
            let part = rows.part(first..last).expect("there are such rows");
            let alone = Rows::new(&evidence[first..last], &Priors::default(), 0);
            assert_eq!(part.words().collect::<Vec<_>>(), alone.words);
            assert_eq!(part.thresholds, alone.thresholds);
            assert_eq!(part.ln_probabilities, alone.ln_probabilities);
        }
        assert!(rows.part(5..8).is_none() && rows.count() == 7);
    }

    #[test]
    fn a_row_fills_its_words() {
        let mut evidence = simulate(&Priors::default(), 5, 1).evidence;
        evidence.remittance = Some(1e5);
        let rows = Rows::new(&[evidence], &Priors::default(), 0);
        let contribution = rows.models[0].platform_contribution;
        assert_eq!(rows.words[0][ROW_WORDS - 1], contribution.to_bits());
        assert_eq!(rows.words[0][ROW_WORDS - 2], 0.55_f64.to_bits());
    }
}
