use tithe_compute::income::Priors;

/// A world: what it is called, and how its truth departs from what the estimator believes.
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) truth: Priors,
}

/// The world the estimator believes in first, then the ones it does not expect.
pub(crate) fn worlds() -> [World; 5] {
    let believed = Priors::default;
    let heavier = |spread: f64| spread * 1.5;
    [
        World { name: "as believed", truth: believed() },
        World { name: "compliant .30", truth: Priors { compliant_share: 0.30, ..believed() } },
        World { name: "compliant .75", truth: Priors { compliant_share: 0.75, ..believed() } },
        World {
            name: "RPM halved",
            truth: Priors { ads_per_thousand: 0.5 * believed().ads_per_thousand, ..believed() },
        },
        World {
            name: "spreads x 1.5",
            truth: Priors {
                creator_spread: heavier(believed().creator_spread),
                ads_spread: heavier(believed().ads_spread),
                deal_price_spread: heavier(believed().deal_price_spread),
                donation_spread: heavier(believed().donation_spread),
                membership_spread: heavier(believed().membership_spread),
                campaign_spread: heavier(believed().campaign_spread),
                affiliate_spread: heavier(believed().affiliate_spread),
                other_spread: heavier(believed().other_spread),
                ..believed()
            },
        },
    ]
}
