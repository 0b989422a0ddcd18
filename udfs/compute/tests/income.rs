//! The income estimator against worlds whose truth is known, and against bad evidence.

#![cfg(test)]

use tithe_compute::income::{
    Amounts, Evidence, Flag, Priors, Quantity, estimate, estimate_all, explained, posterior, simulate,
};

fn amounts(evidence: &Evidence) -> Amounts {
    let found = estimate(evidence, &Priors::default(), 1024, 0).amounts;
    assert!(found.is_some(), "no estimate of {evidence:?}");
    found.unwrap_or_else(|| unreachable!("checked above"))
}

fn known_channel() -> Evidence {
    Evidence {
        channel_id: Some("UC1".to_owned()),
        year: Some(2025),
        followers: Some(80_000.0),
        annual_views: Some(3_000_000.0),
        category: Some("food".to_owned()),
        ..Evidence::default()
    }
}

/// What a mode hides of the evidence.
type Hide = fn(&mut Evidence);

struct Calibration {
    inside_80: f64,
    kolmogorov_smirnov: f64,
    crps_of_median: f64,
}

fn calibrate(creators: u32, hide: impl Fn(&mut Evidence)) -> Calibration {
    let priors = Priors::default();
    let mut ranks = Vec::new();
    let (mut inside, mut distance) = (0.0, 0.0);
    for index in 0..creators {
        let mut simulated = simulate(&priors, 11, index);
        hide(&mut simulated.evidence);
        let posterior = posterior(&simulated.evidence, &priors, 1024, 3);
        let truth = simulated.truth.total;
        let [p10, p50, p90] = posterior.quantiles(Quantity::Total, [10, 50, 90]);
        inside += f64::from(u8::from((p10..=p90).contains(&truth)));
        distance += (p50.max(1.0) / truth.max(1.0)).ln().abs();
        ranks.push(posterior.probability_at_most(Quantity::Total, truth));
    }
    ranks.sort_unstable_by(f64::total_cmp);
    let count = f64::from(creators);
    let kolmogorov_smirnov = ranks
        .iter()
        .enumerate()
        .map(|(i, rank)| (rank - i as f64 / count).max((i as f64 + 1.0) / count - rank))
        .fold(0.0, f64::max);
    Calibration { inside_80: inside / count, kolmogorov_smirnov, crps_of_median: distance / count }
}

/// Coverage within three binomial standard errors, ranks uniform at the 1 % level, and every kind of
/// evidence brings the median nearer to the truth.
#[test]
fn is_calibrated_with_any_evidence() {
    const CREATORS: u32 = 600;
    fn payers(evidence: &mut Evidence) {
        evidence.remittance = None;
        evidence.declared_income = None;
    }
    let modes: [(&str, Hide); 5] = [
        ("nothing but the reach", |evidence| {
            payers(evidence);
            evidence.seen_deal_amounts = None;
            evidence.sponsored_posts = None;
        }),
        ("public signals", |evidence| {
            payers(evidence);
            evidence.seen_deal_amounts = None;
        }),
        ("reported deals", payers),
        ("remittances", |evidence| evidence.declared_income = None),
        ("declared", |_| {}),
    ];
    let mut nearest = f64::INFINITY;
    for (mode, hide) in modes {
        let found = calibrate(CREATORS, hide);
        let tolerance = 3.0 * (0.8_f64 * 0.2 / f64::from(CREATORS)).sqrt();
        assert!((found.inside_80 - 0.8).abs() < tolerance, "{mode}: coverage {}", found.inside_80);
        let limit = 1.63 / f64::from(CREATORS).sqrt();
        assert!(found.kolmogorov_smirnov < limit, "{mode}: KS {}", found.kolmogorov_smirnov);
        assert!(found.crps_of_median < nearest, "{mode}: {} after {nearest}", found.crps_of_median);
        nearest = found.crps_of_median;
    }
}

#[test]
fn unknown_followers_or_views_widen_and_stay_calibrated() {
    let found = calibrate(300, |evidence| {
        *evidence = Evidence { followers: None, declared_income: None, ..evidence.clone() };
    });
    assert!((found.inside_80 - 0.8).abs() < 0.07, "coverage {}", found.inside_80);
    let found = calibrate(300, |evidence| {
        *evidence = Evidence { annual_views: None, declared_income: None, ..evidence.clone() };
    });
    assert!((found.inside_80 - 0.8).abs() < 0.07, "coverage {}", found.inside_80);
}

#[test]
fn rows_do_not_depend_on_their_company() {
    let rows: Vec<Option<Evidence>> =
        (0..40).map(|i| (i % 7 != 3).then(|| simulate(&Priors::default(), 5, i).evidence)).collect();
    let priors = Priors::default();
    let together = estimate_all(&rows, &priors, 256, 9, true);
    for (row, expected) in rows.iter().zip(&together) {
        assert_eq!(&row.as_ref().map(|evidence| explained(evidence, &priors, 256, 9)), expected);
    }
    let other_seed = estimate_all(&rows, &priors, 256, 10, false);
    assert_ne!(together, other_seed);
}

#[test]
fn the_order_of_deals_does_not_matter() {
    let with =
        |deals: &[f64]| amounts(&Evidence { seen_deal_amounts: Some(deals.to_vec()), ..known_channel() });
    assert_eq!(with(&[12_000.0, 40_000.1, 7_000.3]), with(&[40_000.1, 7_000.3, 12_000.0]));
}

#[test]
fn evidence_moves_the_estimate_the_right_way() {
    let prior = amounts(&known_channel());
    let median = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = known_channel();
        change(&mut evidence);
        amounts(&evidence).total.p50
    };
    let deals = [200_000.0, 150_000.0, 300_000.0, 250_000.0];
    assert!(median(&|evidence| evidence.seen_deal_amounts = Some(deals.to_vec())) > 900_000.0);
    assert!(median(&|evidence| evidence.seen_deal_amounts = Some(Vec::new())) < prior.total.p50);
    assert!(median(&|evidence| evidence.sponsored_posts = Some(40.0)) > prior.total.p50);
    assert!(median(&|evidence| evidence.remittance = Some(2_000_000.0)) > prior.total.p50 + 1_000_000.0);
    assert!(median(&|evidence| evidence.declared_income = Some(20_000.0)) < prior.total.p50);
    assert!(median(&|evidence| evidence.category = Some("finance".to_owned())) > prior.total.p50);

    let declared = amounts(&Evidence { declared_income: Some(300_000.0), ..known_channel() });
    let undeclared = declared.undeclared.expect("known");
    assert!(undeclared.p10 <= undeclared.mean && undeclared.mean < declared.total.mean);
    assert!(prior.undeclared.is_none());
    let component_means: f64 = prior.components.iter().map(|component| component.mean).sum();
    assert!((component_means / prior.total.mean - 1.0).abs() < 1e-9);
    assert!(prior.p_month_200k < prior.p_month_50k && prior.p_month_50k <= 1.0);
    let abroad = amounts(&Evidence { foreign_audience_share: Some(1.0), ..known_channel() });
    assert!(abroad.total.p50 > prior.total.p50 && abroad.taxable_p50 < 0.55 * abroad.total.p50);
}

#[test]
fn small_channels_earn_nothing_from_ads() {
    let small = amounts(&Evidence { followers: Some(400.0), ..known_channel() });
    assert!(small.components[0].p90 == 0.0 && small.components[2].p90 == 0.0);
    let paid = Evidence { followers: Some(400.0), remittance: Some(50_000.0), ..known_channel() };
    assert!(amounts(&paid).components[0].p50 > 10_000.0);
}

#[test]
fn bad_evidence_is_flagged_and_left_out() {
    let check = |change: &dyn Fn(&mut Evidence), flag: Flag| {
        let mut evidence = known_channel();
        change(&mut evidence);
        let found = estimate(&evidence, &Priors::default(), 256, 0);
        assert!(
            found.flags.has(flag),
            "{flag:?} of {evidence:?}: {:?}",
            found.flags.iter().collect::<Vec<_>>()
        );
        if let Some(amounts) = found.amounts {
            let Amounts { total, taxable_p50, .. } = amounts;
            for value in [total.p10, total.p50, total.p90, total.mean, taxable_p50] {
                assert!(value.is_finite() && value >= 0.0, "{flag:?}: {value}");
            }
        }
    };
    for bad in [-1.0, f64::NAN, f64::INFINITY, 1e30] {
        check(&|evidence| evidence.followers = Some(bad), Flag::BadEvidence);
        check(&|evidence| evidence.annual_views = Some(bad), Flag::BadEvidence);
        check(&|evidence| evidence.remittance = Some(bad), Flag::BadEvidence);
        check(&|evidence| evidence.declared_income = Some(bad), Flag::BadEvidence);
        check(&|evidence| evidence.seen_deal_amounts = Some(vec![5_000.0, bad]), Flag::BadEvidence);
        check(&|evidence| evidence.foreign_audience_share = Some(bad), Flag::BadEvidence);
    }
    check(&|evidence| evidence.year = Some(114), Flag::BadEvidence);
    check(&|evidence| evidence.category = Some("volcanology".to_owned()), Flag::UnknownCategory);
    check(&|evidence| evidence.minor = Some(true), Flag::MinorExcluded);
    check(&|evidence| evidence.declared_income = Some(0.0), Flag::NothingDeclared);
    check(
        &|evidence| {
            evidence.seen_deal_amounts = Some(vec![50_000.0]);
            evidence.declared_income = Some(20_000.0);
        },
        Flag::DeclaredBelowReported,
    );
    check(
        &|evidence| {
            evidence.annual_views = Some(0.0);
            evidence.remittance = Some(90_000.0);
        },
        Flag::ConflictingEvidence,
    );
    check(&|evidence| evidence.declared_income = Some(9e12), Flag::Tempered);
    check(&|evidence| evidence.remittance = Some(9e12), Flag::MoreDraws);
    check(&|evidence| evidence.seen_deal_amounts = Some(vec![9e13; 3]), Flag::ConflictingEvidence);
}

#[test]
fn a_hundred_thousand_deals_cost_no_more_than_reading_them() {
    let many = Evidence {
        seen_deal_amounts: Some(vec![10_000.0; 100_000]),
        sponsored_posts: Some(70_000.0),
        ..known_channel()
    };
    let found = amounts(&many);
    assert!(found.total.p10 > 1e9 && found.total.p90 < 4e9, "{found:?}");
}

#[test]
fn nothing_known_still_gives_the_prior() {
    let found = estimate(&Evidence::default(), &Priors::default(), 1024, 0);
    assert!(found.flags.has(Flag::PriorDominated));
    let amounts = found.amounts.expect("an estimate");
    assert!(amounts.total.p10 > 0.0 && amounts.total.p90 > 6.0 * amounts.total.p10);
    assert!((amounts.effective_sample_size - 1024.0).abs() < 1e-6);
}

/// The same bits on every machine and backend: a change of these numbers is a change of every estimate.
#[test]
fn keeps_golden_bits() {
    let full = simulate(&Priors::default(), 1, 2).evidence;
    let found = amounts(&full);
    let bits = [found.total.p10, found.total.mean, found.taxable_p50, found.effective_sample_size]
        .map(|value| format!("{:016x}", value.to_bits()));
    assert_eq!(bits.join(" "), GOLDEN, "{found:?}");
}

const GOLDEN: &str = "414579946a5e9b70 4146d0919f3d3327 4138cb6df1537294 4044534ed95a256d";
