use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::{Captures, Regex};

/// Longest group buy, in days: what spans more is no window.
const LONGEST: i64 = 92;
/// How far from a range a word of group buying may stand, in characters on the same line.
const NEAR: usize = 24;
const ROC_ERA: i32 = 1911;

/// Words that make dates the window of a group buy.
const WORDS: [&str; 8] = ["團", "收單", "結單", "開購", "檔期", "預購", "下單", "截單"];

/// Words that make a single date the last day.
const CLOSING: [&str; 7] = ["收單", "結團", "結單", "截團", "截單", "截止", "最後"];

/// A date, and the last day of a range after it.
static DATES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:(?P<y>[0-9]{2,4})[/年.\-])?(?P<m>[0-9]{1,2})[/月.](?P<d>[0-9]{1,2})[日號]?(?:\([一二三四五六日]\))?",
        r"(?:\s?[0-9]{1,2}:[0-9]{2})?",
        r"(?P<range>\s?[-~–—至到]\s?(?:(?:(?P<y2>[0-9]{2,4})[/年.\-])?(?P<m2>[0-9]{1,2})[/月.])?(?P<d2>[0-9]{1,2})[日號]?)?",
    ))
    .ok()
});

/// The first and last day of a group buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowFound<'a> {
    /// First day; `None` where only the last is written.
    pub first: Option<NaiveDate>,
    /// Last day; `None` where only the first is written.
    pub last: Option<NaiveDate>,
    /// The dates as written.
    pub text: &'a str,
    /// Where `text` begins, in bytes.
    pub start: usize,
}

/// Finds the first window of a group buy: `【9/1-9/7 團】`, `團購時間 114/9/1~114/9/7`, `9月1日至7日開團`, `收單 9/7 23:59`.
///
/// Years may be of the common era or of the ROC; a date without one takes the year that puts it nearest to the day of
/// publication, and is not read without that. `None` where no date stands beside a word of group buying, for days
/// that do not exist, and for more than 92 days.
#[must_use]
pub fn group_buy_window(text: &str, published: Option<NaiveDate>) -> Option<WindowFound<'_>> {
    let pattern = DATES.as_ref()?;
    let mut single: Option<WindowFound<'_>> = None;
    for captures in pattern.captures_iter(text) {
        let whole = captures.get_match();
        let (before, after) = (text.get(..whole.start())?, text.get(whole.end()..)?);
        // Digits around it make it a part of something longer: a number, a version, an address.
        if before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '$'))
            || after.starts_with(|c: char| c.is_ascii_digit() || c == '/')
        {
            continue;
        }
        let (near_before, near_after) = (line_before(before), line_after(after));
        let mentions = |near: &str| WORDS.iter().any(|word| near.contains(word));
        if !mentions(near_before) && !mentions(near_after) {
            continue;
        }
        let Some(first) = date(&captures, ["y", "m", "d"], published, None) else { continue };
        let found = |first, last| WindowFound { first, last, text: whole.as_str(), start: whole.start() };
        if captures.name("range").is_some() {
            let Some(last) = date(&captures, ["y2", "m2", "d2"], published, Some(first)) else { continue };
            if (0..=LONGEST).contains(&(last - first).num_days()) {
                return Some(found(Some(first), Some(last)));
            }
            continue;
        }
        let closes = |near: &str| CLOSING.iter().any(|word| near.contains(word));
        let follows: String = near_after.trim_start().chars().take(2).collect();
        if closes(near_before) || closes(&follows) {
            single = match single {
                Some(WindowFound { first: Some(opened), last: None, text: _, start }) => {
                    let days = (first - opened).num_days();
                    let text = text.get(start..whole.end())?;
                    return (0..=LONGEST).contains(&days).then_some(WindowFound {
                        first: Some(opened),
                        last: Some(first),
                        text,
                        start,
                    });
                }
                Some(earlier) => Some(earlier),
                None => Some(found(None, Some(first))),
            };
        } else if single.is_none() {
            single = Some(found(Some(first), None));
        }
    }
    single
}

// Both look at few characters only: a line may be the whole of a long text, and every date in it asks.

fn line_before(text: &str) -> &str {
    let start = text.char_indices().rev().nth(NEAR - 1).map_or(0, |(place, _)| place);
    text.get(start..).unwrap_or_default().rsplit('\n').next().unwrap_or_default()
}

fn line_after(text: &str) -> &str {
    let end = text.char_indices().nth(NEAR).map_or(text.len(), |(place, _)| place);
    text.get(..end).unwrap_or_default().split('\n').next().unwrap_or_default()
}

/// The date of three groups. What the end of a range leaves out is taken from its beginning.
fn date(
    captures: &Captures<'_>,
    [year, month, day]: [&str; 3],
    published: Option<NaiveDate>,
    begun: Option<NaiveDate>,
) -> Option<NaiveDate> {
    let number = |group: &str| captures.name(group).and_then(|text| text.as_str().parse::<u32>().ok());
    let day = number(day)?;
    let month = number(month).or_else(|| begun.map(|date| date.month()))?;
    let of_year = |year: i32| NaiveDate::from_ymd_opt(year, month, day);
    if let Some(year) = number(year) {
        let year = i32::try_from(year).ok()?;
        return of_year(if year < 1000 { year + ROC_ERA } else { year });
    }
    if let Some(begun) = begun {
        let same = of_year(begun.year())?;
        return if same < begun { of_year(begun.year() + 1) } else { Some(same) };
    }
    let published = published?;
    let around = [published.year() - 1, published.year(), published.year() + 1];
    around.into_iter().filter_map(of_year).min_by_key(|date| (*date - published).num_days().abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn check(text: &str, published: &str, expected: Option<(&str, &str)>) {
        let published = (!published.is_empty()).then(|| day(published));
        let shown = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
        let found = group_buy_window(text, published).map(|found| (shown(found.first), shown(found.last)));
        let expected = expected.map(|(first, last)| (first.to_owned(), last.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn reads_ranges() {
        assert!(DATES.is_some());
        check("【9/1-9/7 團】膠原飲", "2025-08-30", Some(("2025-09-01", "2025-09-07")));
        check("團購時間:114/9/1~114/9/7", "", Some(("2025-09-01", "2025-09-07")));
        check("9月1日至7日開團", "2025-08-30", Some(("2025-09-01", "2025-09-07")));
        check("跨年團 12/28~1/3", "2025-12-20", Some(("2025-12-28", "2026-01-03")));
        check("2025/09/01 - 2025/09/05 開團", "", Some(("2025-09-01", "2025-09-05")));
        check("12/30開團,隔年公布", "2026-01-02", Some(("2025-12-30", "")));
    }

    #[test]
    fn reads_single_days() {
        check("收單 9/7 23:59 到貨約2週", "2025-09-03", Some(("", "2025-09-07")));
        check("9/1 20:00 開團\n收單:9/7", "2025-08-30", Some(("2025-09-01", "2025-09-07")));
    }

    #[test]
    fn leaves_what_is_no_window() {
        check("9/1-9/7 去日本玩", "2025-08-30", None);
        check("開團 9/31", "2025-08-30", None);
        check("團購 1/2杯", "", None);
        check("收單 9/7", "", None);
        check("團購價 $9.10", "2025-08-30", None);
        check("團 2/1-9/30", "2025-03-01", None);
        check("", "2025-03-01", None);
    }
}
