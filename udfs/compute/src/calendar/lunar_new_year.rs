//! The Lunar New Year, which moves between January and February and takes a week of tax payments with it.
//!
//! The dates are those of the Chinese calendar in the rules of GB/T 33661-2017 (China Standard Time, UTC+8, which is
//! Taiwan's too). In every year they agree with those rules worked out from the positions of sun and moon, and with the
//! Python packages `lunardate` and `LunarCalendar`: `python3 benches/forecast/lunar_new_year.py`.

use chrono::{Datelike, NaiveDate, TimeDelta};

const FIRST_YEAR: i32 = 1970;

/// The day of the year (1 for 1 January) of the New Year, by year from 1970 to 2050.
const DAY_OF_YEAR: [u32; 81] = [
    37, 27, 46, 34, 23, 42, 31, 49, 38, 28, // 1970
    47, 36, 25, 44, 33, 51, 40, 29, 48, 37, // 1980
    27, 46, 35, 23, 41, 31, 50, 38, 28, 47, // 1990
    36, 24, 43, 32, 22, 40, 29, 49, 38, 26, // 2000
    45, 34, 23, 41, 31, 50, 39, 28, 47, 36, // 2010
    25, 43, 32, 22, 41, 29, 48, 37, 26, 44, // 2020
    34, 23, 42, 31, 50, 39, 28, 46, 35, 24, // 2030
    43, 32, 22, 41, 30, 48, 37, 26, 45, 33, // 2040
    23, // 2050
];

/// Days from the New Year's Eve on that offices are closed, weekends aside.
const HOLIDAY_DAYS: i64 = 7;

/// The first day of the lunar year that begins in `year`; `None` before 1970 and after 2050.
///
/// ```
/// # use tithe_compute::calendar::lunar_new_year;
/// assert_eq!(lunar_new_year(2025).map(|day| day.to_string()).as_deref(), Some("2025-01-29"));
/// ```
#[must_use]
pub fn lunar_new_year(year: i32) -> Option<NaiveDate> {
    let index = usize::try_from(year.checked_sub(FIRST_YEAR)?).ok()?;
    NaiveDate::from_yo_opt(year, *DAY_OF_YEAR.get(index)?)
}

/// The share of the holiday week (New Year's Eve and the six days after it) that falls into a month; `None` before
/// 1970 and after 2050. The shares of the months of a year add up to 1.
#[must_use]
pub fn lunar_new_year_share(year: i32, month: u32) -> Option<f64> {
    let eve = lunar_new_year(year)? - TimeDelta::days(1);
    let days = (0..HOLIDAY_DAYS).filter(|day| (eve + TimeDelta::days(*day)).month() == month).count();
    Some(days as f64 / HOLIDAY_DAYS as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_year_is_between_21_january_and_20_february() {
        for year in 1970..=2050 {
            let day = lunar_new_year(year).expect("in the table");
            assert!((21..=51).contains(&day.ordinal()), "{day}");
            let after = lunar_new_year(year + 1).map(|next| (next - day).num_days());
            assert!(
                after.is_none_or(|days| [353, 354, 355, 383, 384, 385].contains(&days)),
                "{day}: {after:?}"
            );
        }
        assert_eq!(
            (lunar_new_year(1969), lunar_new_year(2051), lunar_new_year(i32::MIN)),
            (None, None, None)
        );
    }

    #[test]
    fn known_new_years() {
        for known in [
            "1970-02-06",
            "1985-02-20",
            "2000-02-05",
            "2004-01-22",
            "2023-01-22",
            "2024-02-10",
            "2033-01-31",
            "2050-01-23",
        ] {
            let date: NaiveDate = known.parse().expect("a date");
            assert_eq!(lunar_new_year(date.year()), Some(date));
        }
    }

    #[test]
    fn the_week_is_shared_between_the_months() {
        assert_eq!(lunar_new_year_share(2023, 1), Some(1.0));
        assert_eq!(lunar_new_year_share(2024, 1), Some(0.0));
        assert_eq!(lunar_new_year_share(2025, 1), Some(4.0 / 7.0));
        assert_eq!(lunar_new_year_share(2025, 2), Some(3.0 / 7.0));
        assert_eq!(lunar_new_year_share(2025, 3), Some(0.0));
        assert_eq!(lunar_new_year_share(2051, 1), None);
    }
}
