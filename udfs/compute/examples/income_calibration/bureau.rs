//! Which national tax bureau an invented creator belongs to.

use tithe_compute::income::Category;

/// A bureau, and which creators live in its area more often than its population says.
pub(crate) struct Bureau {
    pub(crate) name: &'static str,
    /// People in its counties in 2023, in thousands (Ministry of the Interior).
    people: f64,
    /// The power of followers with which creators gather there: large ones go where agencies are.
    gathers: f64,
    /// Categories that are three times as frequent there as elsewhere.
    favoured: [Category; 3],
}

/// The population is real. How creators gather is invented, and strongly: groups that differ in nothing would show no more
/// than chance, as every random half of all creators is as well calibrated as the whole.
pub(crate) const BUREAUS: [Bureau; 5] = [
    Bureau {
        name: "Taipei",
        people: 2_510.0,
        gathers: 0.5,
        favoured: [Category::Finance, Category::Technology, Category::Beauty],
    },
    Bureau {
        name: "Northern",
        people: 8_693.0,
        gathers: 0.0,
        favoured: [Category::Gaming, Category::Education, Category::Entertainment],
    },
    Bureau {
        name: "Central",
        people: 5_764.0,
        gathers: -0.2,
        favoured: [Category::Health, Category::Vlog, Category::Kids],
    },
    Bureau {
        name: "Southern",
        people: 3_724.0,
        gathers: -0.4,
        favoured: [Category::Food, Category::Kids, Category::Music],
    },
    Bureau {
        name: "Kaohsiung",
        people: 2_740.0,
        gathers: 0.2,
        favoured: [Category::Music, Category::Gaming, Category::Food],
    },
];

/// Followers of the creator in the middle, at which none gather.
const MIDDLE: f64 = 30_000.0;

impl Bureau {
    /// The place in [`BUREAUS`] of a creator's, by a number in 0..1.
    pub(crate) fn of(followers: f64, category: Category, chance: f64) -> usize {
        let weights = BUREAUS.map(|bureau| {
            let favoured = if bureau.favoured.contains(&category) { 3.0 } else { 1.0 };
            bureau.people * favoured * (followers / MIDDLE).powf(bureau.gathers)
        });
        let drawn = chance * weights.iter().sum::<f64>();
        let passed = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        passed.take(BUREAUS.len() - 1).take_while(|passed| *passed <= drawn).count()
    }
}
