use chrono::{Datelike, NaiveDate};

use super::roc_date::roc_year;

/// The two-month VAT period a date falls in, as `yyyMM`: ROC year of three digits and the period's second, even
/// month. `None` before 1912 and after ROC year 999.
///
/// Source: Value-added and Non-value-added Business Tax Act §35 (returns for two months each).
#[must_use]
pub fn vat_period(date: NaiveDate) -> Option<String> {
    let year = roc_year(date).filter(|year| *year <= 999)?;
    Some(format!("{year:03}{:02}", date.month().div_ceil(2) * 2))
}

/// The first day of a VAT period `yyyMM`. `None` unless the text is five digits with an even month.
#[must_use]
pub fn vat_period_start(period: &str) -> Option<NaiveDate> {
    if period.len() != 5 || !period.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month) = period.split_at(3);
    let (year, month): (i32, u32) = (year.parse().ok()?, month.parse().ok()?);
    if year == 0 || month == 0 || !month.is_multiple_of(2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year + 1911, month - 1, 1)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{vat_period, vat_period_start};

    #[test]
    fn pairs_months() {
        for (date, period, start) in [
            ((2023, 9, 1), "11210", (2023, 9, 1)),
            ((2023, 10, 31), "11210", (2023, 9, 1)),
            ((2024, 1, 1), "11302", (2024, 1, 1)),
            ((2024, 12, 31), "11312", (2024, 11, 1)),
            ((2010, 3, 5), "09904", (2010, 3, 1)),
        ] {
            let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert_eq!(vat_period(day(date)).as_deref(), Some(period));
            assert_eq!(vat_period_start(period), Some(day(start)));
        }
    }

    #[test]
    fn refuses_what_is_no_period() {
        for text in ["", "11209", "11200", "11214", "1121", "112100", "00002", "1121０", "+1202", "民國112"]
        {
            assert_eq!(vat_period_start(text), None, "{text}");
        }
        assert_eq!(NaiveDate::from_ymd_opt(1911, 12, 31).and_then(vat_period), None);
        assert_eq!(vat_period(NaiveDate::MAX), None);
    }
}
