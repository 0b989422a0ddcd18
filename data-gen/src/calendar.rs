//! Days since 1970-01-01, the bi-monthly periods and their filing dates.

use chrono::NaiveDate;

/// The bi-monthly periods of 2024 and 2025.
pub(crate) const PERIODS: u32 = 12;
/// The years the incomes are for.
pub(crate) const YEARS: [i32; 2] = [2024, 2025];

/// Days since 1970-01-01 (0 for a date that does not exist).
pub(crate) fn day(year: i32, month: u32, day: u32) -> i32 {
    NaiveDate::from_ymd_opt(year, month, day).map_or(0, |date| date.to_epoch_days())
}

pub(crate) fn date_of(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

/// Seconds since 1970-01-01 of a moment of a day.
pub(crate) fn instant(day: i32, second: i32) -> i64 {
    i64::from(day) * 86_400 + i64::from(second)
}

/// `2024-07-01T03:11:05Z`.
pub(crate) fn iso(day: i32, second: i32) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", date_of(day), second / 3600, second / 60 % 60, second % 60)
}

/// The period's key: ROC year and even month, such as `11302`.
pub(crate) fn period_key(period: u32) -> String {
    format!("{}{:02}", 113 + period / 6, period % 6 * 2 + 2)
}

/// First and last day of a period.
pub(crate) fn period_days(period: u32) -> (i32, i32) {
    let first = |period: u32| day(2024 + i32::try_from(period / 6).unwrap_or(0), period % 6 * 2 + 1, 1);
    (first(period), first(period + 1) - 1)
}

/// The 15th of the odd month that follows.
pub(crate) fn filing_deadline(period: u32) -> i32 {
    period_days(period).1 + 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_run_through_two_years() {
        assert_eq!((period_key(0).as_str(), period_key(11).as_str()), ("11302", "11412"));
        assert_eq!(period_days(0), (day(2024, 1, 1), day(2024, 2, 29)));
        assert_eq!(period_days(11), (day(2025, 11, 1), day(2025, 12, 31)));
        assert_eq!(date_of(filing_deadline(0)).to_string(), "2024-03-15");
        assert_eq!(date_of(filing_deadline(11)).to_string(), "2026-01-15");
    }

    #[test]
    fn instants_read_as_iso() {
        assert_eq!(iso(day(2024, 7, 1), 11_465), "2024-07-01T03:11:05Z");
        assert_eq!(instant(1, 5), 86_405);
        assert_eq!(date_of(day(2025, 12, 31)).to_string(), "2025-12-31");
    }
}
