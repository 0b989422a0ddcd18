use chrono::{Datelike, NaiveDate};

use crate::amount::parse_count;

const ROC_ERA: i32 = 1911;

/// The ROC year of a date, or `None` before 1912, the first year of the calendar.
#[must_use]
pub fn roc_year(date: NaiveDate) -> Option<u32> {
    u32::try_from(date.year() - ROC_ERA).ok().filter(|year| *year >= 1)
}

/// A date as `114/09/01`: ROC year without leading zeros, month and day of two digits. `None` before 1912.
#[must_use]
pub fn format_roc_date(date: NaiveDate) -> Option<String> {
    roc_year(date).map(|year| format!("{year}/{:02}/{:02}", date.month(), date.day()))
}

/// Reads a ROC date in half-width characters.
///
/// Taken: `114/9/1`, `114-9-1`, `114.9.1`, `114年9月1日`, the compact `1140901` and `990901`, each after an optional
/// `民國` or `中華民國`; in the form with 年月日 the numbers may be Chinese (`一百一十四年九月一日`, `一一四年`, `元年`).
/// A year has one to three digits, so a Gregorian date is not taken for a ROC one. `None` for anything else and for
/// days that do not exist.
#[must_use]
pub fn parse_roc_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let text = text.strip_prefix("中華").filter(|rest| rest.starts_with("民國")).unwrap_or(text);
    let text = text.strip_prefix("民國").unwrap_or(text).trim_start();
    let (year, month, day) =
        parse_written(text).or_else(|| parse_separated(text)).or_else(|| parse_compact(text))?;
    if !(1..=999).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()? + ROC_ERA, month, day)
}

fn parse_written(text: &str) -> Option<(u32, u32, u32)> {
    let (year, rest) = text.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    let day = rest.strip_suffix(['日', '號'])?;
    let year = if year.trim() == "元" { 1 } else { written_number(year)? };
    Some((year, written_number(month)?, written_number(day)?))
}

fn written_number(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || text.len() > 30 {
        return None;
    }
    parse_count(text).and_then(|number| u32::try_from(number).ok())
}

fn parse_separated(text: &str) -> Option<(u32, u32, u32)> {
    ['/', '-', '.'].into_iter().find_map(|separator| {
        let mut parts = text.split(separator);
        let date = (number(parts.next()?, 3)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
        parts.next().is_none().then_some(date)
    })
}

fn parse_compact(text: &str) -> Option<(u32, u32, u32)> {
    if !matches!(text.len(), 6 | 7) || !text.is_ascii() {
        return None;
    }
    let (rest, day) = text.split_at(text.len() - 2);
    let (year, month) = rest.split_at(rest.len() - 2);
    Some((number(year, 3)?, number(month, 2)?, number(day, 2)?))
}

fn number(text: &str, most_digits: usize) -> Option<u32> {
    let text = text.trim();
    if text.len() > most_digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::{any, proptest};

    use super::{format_roc_date, parse_roc_date};

    #[test]
    fn reads_the_forms_in_use() {
        let first_of_september = NaiveDate::from_ymd_opt(2025, 9, 1);
        for text in [
            "114/9/1",
            "114/09/01",
            "114-9-1",
            "114.09.01",
            "114 / 9 / 1",
            "1140901",
            "114年9月1日",
            "民國114年9月1日",
            "中華民國114年09月01日",
            "民國 114 年 9 月 1 日",
            "民國114/9/1",
            "一百一十四年九月一日",
            "民國一一四年九月一日",
            "114年9月1號",
        ] {
            assert_eq!(parse_roc_date(text), first_of_september, "{text}");
        }
        assert_eq!(parse_roc_date("990901"), NaiveDate::from_ymd_opt(2010, 9, 1));
        assert_eq!(parse_roc_date("民國元年1月1日"), NaiveDate::from_ymd_opt(1912, 1, 1));
        assert_eq!(parse_roc_date("113/2/29"), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!(parse_roc_date("一百年十二月三十一日"), NaiveDate::from_ymd_opt(2011, 12, 31));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "民國",
            "2025/9/1",
            "2025-09-01",
            "20250901",
            "114/2/29",
            "114/13/1",
            "114/0/1",
            "114/9",
            "114/9/1/2",
            "114/9-1",
            "114年9月",
            "114年9月1",
            "年月日",
            "0/1/1",
            "0000101",
            "-14/9/1",
            "+14/9/1",
            "中華114/9/1",
            "１１４/9/1",
            "114091x",
            "11409",
            "abc",
            "民國前1年1月1日",
        ] {
            assert_eq!(parse_roc_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(day in 0_i64..1_000_000) {
            let first = NaiveDate::from_ymd_opt(1912, 1, 1).unwrap();
            let date = first + chrono::Days::new(u64::try_from(day % 364_000).unwrap());
            let text = format_roc_date(date).unwrap();
            assert_eq!(parse_roc_date(&text), Some(date), "{text}");
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = parse_roc_date(&text);
        }
    }

    #[test]
    fn has_no_year_before_the_first() {
        assert_eq!(NaiveDate::from_ymd_opt(1911, 12, 31).and_then(format_roc_date), None);
        assert_eq!(NaiveDate::from_ymd_opt(1912, 1, 1).and_then(format_roc_date), Some("1/01/01".to_owned()));
        assert_eq!(format_roc_date(NaiveDate::MIN), None);
    }
}
