//! Who would be looked at, and what the looked-at tell of the rest.

/// Share of creators looked at, by rank and again at random.
const SHARE: f64 = 0.10;

/// One creator as a selection sees it.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) followers: f64,
    pub(crate) expected_gap: f64,
    pub(crate) true_gap: f64,
    /// Uniform and independent of everything else.
    pub(crate) chance: f64,
}

fn top(candidates: &[Candidate], key: impl Fn(&Candidate) -> f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| key(&candidates[*b]).total_cmp(&key(&candidates[*a])).then(a.cmp(b)));
    order.truncate(looked_at(candidates));
    order
}

#[expect(clippy::cast_possible_truncation, reason = "a tenth of a small number")]
#[expect(clippy::cast_sign_loss, reason = "a tenth of a small number")]
fn looked_at(candidates: &[Candidate]) -> usize {
    (candidates.len() as f64 * SHARE).round() as usize
}

/// Of the tenth ranked first, how many belong to the tenth with the largest true gaps, and the share of all
/// true gaps that lies with them: ranked by expected gap, by followers, at random.
pub(crate) fn precision(candidates: &[Candidate]) -> [(f64, f64); 3] {
    let largest = top(candidates, |candidate| candidate.true_gap);
    let all: f64 = candidates.iter().map(|candidate| candidate.true_gap).sum();
    let keys: [fn(&Candidate) -> f64; 3] =
        [|candidate| candidate.expected_gap, |candidate| candidate.followers, |candidate| candidate.chance];
    keys.map(|key| {
        let first = top(candidates, key);
        let hits = first.iter().filter(|creator| largest.contains(creator)).count();
        let found: f64 = first.iter().map(|creator| candidates[*creator].true_gap).sum();
        (hits as f64 / first.len() as f64, found / all)
    })
}

/// The total gap over its true value, from audits: the tenth ranked first by expected gap, each counted once, and
/// a random tenth of the rest, each counted by the inverse of its probability; and the standard error of it.
pub(crate) fn audited_gap(candidates: &[Candidate]) -> (f64, f64) {
    let first = top(candidates, |candidate| candidate.expected_gap);
    let ranked: f64 = first.iter().map(|creator| candidates[*creator].true_gap).sum();
    let rest: Vec<&Candidate> = candidates
        .iter()
        .enumerate()
        .filter(|(creator, _)| !first.contains(creator))
        .map(|(_, candidate)| candidate)
        .collect();
    let drawn: Vec<f64> = rest
        .iter()
        .filter(|candidate| candidate.chance < SHARE)
        .map(|candidate| candidate.true_gap)
        .collect();
    let (number, of_rest) = (drawn.len() as f64, rest.len() as f64);
    let mean = drawn.iter().sum::<f64>() / number;
    let variance = drawn.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (number - 1.0);
    let error = of_rest * (variance / number * (1.0 - number / of_rest)).sqrt();
    let all: f64 = candidates.iter().map(|candidate| candidate.true_gap).sum();
    ((ranked + of_rest * mean) / all, error / all)
}
