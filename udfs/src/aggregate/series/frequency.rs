//! How far the periods of a series are apart, and how many make a season.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime};

use super::period::PeriodType;

/// A series with fewer than one value in this many places of its grid has no frequency.
const SPARSEST: u64 = 4;
/// So many months may be sparser: taxes that are due now and then. A mistyped year must not become a million of them.
const FREE_MONTHS: u64 = 1200;
/// Longest season that is guessed.
const LONGEST_SEASON: u64 = 1000;

/// The grid of a series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frequency {
    stride: Stride,
    /// Values in a season.
    pub(super) season: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Stride {
    /// Whole months, on the same day of the month.
    Months { step: i64, day: Day, time: NaiveTime },
    /// Units of the period's type.
    Units(u64),
}

/// The day of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// The last of the month where the month is shorter.
    Number(u32),
    Last,
}

impl Frequency {
    /// The frequency of `times`, which ascend without duplicates; `season` replaces the usual one.
    ///
    /// Of a single time, only what `season` tells: 12 is monthly, 4 quarterly, and so on; plain numbers are one apart.
    /// `None` where the times are on no grid.
    pub(super) fn recognise(times: &[i64], period: &PeriodType, season: Option<usize>) -> Option<Self> {
        let (first, last) = (*times.first()?, *times.last()?);
        if first == last {
            return Self::of_season(first, period, season);
        }
        let calendar: Option<Vec<NaiveDateTime>> = times.iter().map(|t| period.to_calendar(*t)).collect();
        let stride = calendar
            .as_deref()
            .and_then(same_day_of_months)
            .or_else(|| units(times))
            .or_else(|| calendar.as_deref().and_then(one_a_month))?;
        let usual = usual_season(&stride, period);
        Some(Self { stride, season: season.unwrap_or(usual) })
    }

    fn of_season(time: i64, period: &PeriodType, season: Option<usize>) -> Option<Self> {
        if period.is_number() {
            return Some(Self { stride: Stride::Units(1), season: season.unwrap_or(1) });
        }
        let season = season?;
        let day = period.units_a_day()?;
        let stride = match season {
            1 | 2 | 3 | 4 | 6 | 12 => {
                let at = period.to_calendar(time)?;
                let step = i64::try_from(12 / season).ok()?;
                Stride::Months { step, day: common_day(&[at])?, time: at.time() }
            }
            52 | 53 => Stride::Units(day.checked_mul(7)?),
            7 | 365 | 366 => Stride::Units(day),
            24 if day > 1 => Stride::Units(day / 24),
            _ => return None,
        };
        Some(Self { stride, season })
    }

    /// Whether the periods are successive months.
    pub(super) fn is_monthly(&self) -> bool {
        matches!(self.stride, Stride::Months { step: 1, .. })
    }

    /// Place of `time` on the grid that begins at `first`.
    pub(super) fn index(&self, first: i64, time: i64, period: &PeriodType) -> Option<u64> {
        match &self.stride {
            Stride::Months { step, .. } => {
                let months =
                    month_number(period.to_calendar(time)?) - month_number(period.to_calendar(first)?);
                u64::try_from(months / step).ok()
            }
            Stride::Units(step) => Some(time.abs_diff(first) / step),
        }
    }

    /// The time `steps` after `last`, before it for a negative number; `None` where it lies outside of the calendar
    /// or the type.
    pub(super) fn shifted(&self, last: i64, steps: i64, period: &PeriodType) -> Option<i64> {
        match &self.stride {
            Stride::Months { step, day, time } => {
                let months = step.checked_mul(steps)?;
                let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                let first_of_month = period.to_calendar(last)?.date().with_day(1)?;
                let month = if months < 0 {
                    first_of_month.checked_sub_months(distance)?
                } else {
                    first_of_month.checked_add_months(distance)?
                };
                let length = u32::from(month.num_days_in_month());
                let day = match day {
                    Day::Number(day) => (*day).min(length),
                    Day::Last => length,
                };
                period.number_at(month.with_day(day)?.and_time(*time))
            }
            Stride::Units(step) => {
                let distance = step.checked_mul(steps.unsigned_abs())?;
                if steps < 0 {
                    last.checked_sub_unsigned(distance)
                } else {
                    last.checked_add_unsigned(distance)
                }
            }
        }
    }
}

fn month_number(time: NaiveDateTime) -> i64 {
    i64::from(time.year()) * 12 + i64::from(time.month0())
}

fn month_length(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month())
}

/// The day all dates have in common: every one the last of its month, or the same number (cut to short months).
fn common_day(times: &[NaiveDateTime]) -> Option<Day> {
    if times.iter().all(|t| t.day() == month_length(t.date())) {
        return Some(Day::Last);
    }
    let day = times.iter().map(|t| t.day()).max()?;
    times.iter().all(|t| t.day() == day.min(month_length(t.date()))).then_some(Day::Number(day))
}

/// Months on the same day at the same time, a century of them or not too many empty.
fn same_day_of_months(times: &[NaiveDateTime]) -> Option<Stride> {
    let time = times.first()?.time();
    if times.iter().any(|t| t.time() != time) {
        return None;
    }
    let stride = months(times, common_day(times)?, time)?;
    let last_index = last_month_index(times, &stride)?;
    (last_index < FREE_MONTHS || dense(last_index, times.len())).then_some(stride)
}

/// One date in a month, on days that differ (the last working day, say); forecasts take the last one's.
fn one_a_month(times: &[NaiveDateTime]) -> Option<Stride> {
    let last = times.last()?;
    let stride = months(times, common_day(&[*last])?, last.time())?;
    dense(last_month_index(times, &stride)?, times.len()).then_some(stride)
}

/// Place of the last time on a grid of months.
fn last_month_index(times: &[NaiveDateTime], stride: &Stride) -> Option<u64> {
    let Stride::Months { step, .. } = stride else { return None };
    let span = month_number(*times.last()?) - month_number(*times.first()?);
    u64::try_from(span / step).ok()
}

/// Months whose common step is the greatest that fits; `None` where two times are in one month.
fn months(times: &[NaiveDateTime], day: Day, time: NaiveTime) -> Option<Stride> {
    let mut step = 0;
    for pair in times.windows(2) {
        let distance = u64::try_from(month_number(pair[1]) - month_number(pair[0])).ok()?;
        if distance == 0 {
            return None;
        }
        step = greatest_common_divisor(step, distance);
    }
    Some(Stride::Months { step: i64::try_from(step).ok()?, day, time })
}

/// Units at the greatest step that fits, if not too many places are empty.
fn units(times: &[i64]) -> Option<Stride> {
    let step =
        times.windows(2).fold(0, |step, pair| greatest_common_divisor(step, pair[1].abs_diff(pair[0])));
    let span = times.last()?.abs_diff(*times.first()?);
    dense(span / step.max(1), times.len()).then_some(Stride::Units(step.max(1)))
}

fn dense(last_index: u64, count: usize) -> bool {
    u64::try_from(count).is_ok_and(|count| last_index / SPARSEST < count)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A year of months or weeks, a week of days, a day of hours or less; 1 where there is no usual season.
fn usual_season(stride: &Stride, period: &PeriodType) -> usize {
    let season = match (stride, period.units_a_day()) {
        (Stride::Months { step, .. }, _) if 12 % step == 0 => u64::try_from(12 / step).unwrap_or(1),
        (Stride::Units(step), Some(day)) if *step == day => 7,
        (Stride::Units(step), Some(day)) if step % (day * 7) == 0 && 52 % (step / (day * 7)) == 0 => {
            52 / (step / (day * 7))
        }
        (Stride::Units(step), Some(day)) if *step < day && day % step == 0 => day / step,
        _ => 1,
    };
    if season > LONGEST_SEASON { 1 } else { usize::try_from(season).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, TimeUnit};

    fn days(dates: &[&str]) -> Vec<i64> {
        let epoch = NaiveDate::default();
        dates.iter().map(|d| (d.parse::<NaiveDate>().expect("a date") - epoch).num_days()).collect()
    }

    /// Season, and the two dates after the last.
    fn check(dates: &[&str], season: usize, next: [&str; 2]) {
        let period = PeriodType::new("forecast", &DataType::Date32).expect("a type of period");
        let times = days(dates);
        let frequency = Frequency::recognise(&times, &period, None).expect("a frequency");
        assert_eq!(frequency.season, season, "{dates:?}");
        let last = times[times.len() - 1];
        let after = [1, 2].map(|steps| frequency.shifted(last, steps, &period).expect("a time"));
        assert_eq!(after.map(|t| period.describe(t)), next, "{dates:?}");
    }

    #[test]
    fn dates_are_recognised() {
        check(&["2024-01-01", "2024-02-01", "2024-03-01"], 12, ["2024-04-01", "2024-05-01"]);
        check(&["2023-12-31", "2024-01-31", "2024-02-29"], 12, ["2024-03-31", "2024-04-30"]);
        check(&["2023-12-30", "2024-01-30", "2024-02-29"], 12, ["2024-03-30", "2024-04-30"]);
        check(&["2024-01-15", "2024-03-15", "2024-05-15"], 6, ["2024-07-15", "2024-09-15"]);
        check(&["2024-03-31", "2024-06-30", "2024-09-30"], 4, ["2024-12-31", "2025-03-31"]);
        check(&["2022-07-01", "2023-07-01"], 1, ["2024-07-01", "2025-07-01"]);
        check(&["2024-01-01", "2024-01-08", "2024-01-15"], 52, ["2024-01-22", "2024-01-29"]);
        check(&["2024-01-01", "2024-01-15", "2024-01-29"], 26, ["2024-02-12", "2024-02-26"]);
        check(&["2024-02-28", "2024-02-29", "2024-03-01"], 7, ["2024-03-02", "2024-03-03"]);
        check(&["2024-01-01", "2024-01-11"], 1, ["2024-01-21", "2024-01-31"]);
    }

    #[test]
    fn missing_periods_do_not_hide_the_frequency() {
        check(&["2024-01-01", "2024-04-01", "2024-05-01"], 12, ["2024-06-01", "2024-07-01"]);
        check(&["2024-01-05", "2024-01-08", "2024-01-09"], 7, ["2024-01-10", "2024-01-11"]);
    }

    #[test]
    fn a_year_that_was_mistyped_is_on_no_grid() {
        let period = PeriodType::new("forecast", &DataType::Date32).expect("a type of period");
        let season = |dates: &[&str]| Some(Frequency::recognise(&days(dates), &period, None)?.season);
        assert_eq!(season(&["2020-01-01", "2020-02-01", "+20200-03-01"]), None);
        assert_eq!(season(&["2020-01-01", "2020-02-01", "2202-03-01"]), None);
        assert_eq!(season(&["2000-01-01", "2000-02-01", "2099-12-01"]), Some(12), "now and then");
    }

    #[test]
    fn one_date_a_month_on_changing_days_is_monthly() {
        check(&["2024-01-31", "2024-02-29", "2024-03-28", "2024-04-30"], 12, ["2024-05-31", "2024-06-30"]);
        check(&["2024-01-05", "2024-02-03", "2024-03-06", "2024-04-04"], 12, ["2024-05-04", "2024-06-04"]);
    }

    #[test]
    fn hours_and_numbers_are_recognised() {
        let check = |data_type: DataType, times: &[i64], season, next| {
            let period = PeriodType::new("forecast", &data_type).expect("a type of period");
            let frequency = Frequency::recognise(times, &period, None).expect("a frequency");
            assert_eq!(frequency.season, season);
            assert_eq!(frequency.shifted(times[times.len() - 1], 1, &period), Some(next));
        };
        let seconds = DataType::Timestamp(TimeUnit::Second, None);
        check(seconds.clone(), &[0, 3600, 7200], 24, 10_800);
        check(seconds.clone(), &[0, 900, 1800], 96, 2700);
        check(seconds.clone(), &[0, 1, 2], 1, 3);
        check(seconds, &[0, 86_400], 7, 172_800);
        check(DataType::Int32, &[2001, 2002, 2003], 1, 2004);
        check(DataType::Int64, &[10, 20, 40], 1, 50);
    }

    #[test]
    fn what_lies_beyond_the_type_is_none() {
        let period = PeriodType::new("forecast", &DataType::Int64).expect("a type of period");
        let frequency = Frequency::recognise(&[i64::MIN, 0], &period, None).expect("a frequency");
        assert_eq!(frequency.shifted(0, 1, &period), None);
        assert_eq!(frequency.shifted(0, i64::MAX, &period), None);
    }

    #[test]
    fn what_is_on_no_grid_has_no_frequency() {
        let period = PeriodType::new("forecast", &DataType::Date32).expect("a type of period");
        let scattered = days(&["2024-01-01", "2024-01-02", "2024-07-09", "2025-03-03"]);
        assert_eq!(Frequency::recognise(&scattered, &period, None), None);
        let numbers = PeriodType::new("forecast", &DataType::Int64).expect("a type of period");
        assert_eq!(Frequency::recognise(&[0, 1, i64::MAX], &numbers, None), None);
        assert_eq!(Frequency::recognise(&[], &numbers, None), None);
    }

    #[test]
    fn a_single_period_has_the_frequency_of_its_season() {
        let period = PeriodType::new("forecast", &DataType::Date32).expect("a type of period");
        let last = days(&["2024-01-31"]);
        let next = |season| {
            let frequency = Frequency::recognise(&last, &period, season)?;
            frequency.shifted(last[0], 1, &period).map(|t| period.describe(t))
        };
        assert_eq!(next(None), None);
        assert_eq!(next(Some(12)).as_deref(), Some("2024-02-29"));
        assert_eq!(next(Some(6)).as_deref(), Some("2024-03-31"));
        assert_eq!(next(Some(4)).as_deref(), Some("2024-04-30"));
        assert_eq!(next(Some(1)).as_deref(), Some("2025-01-31"));
        assert_eq!(next(Some(52)).as_deref(), Some("2024-02-07"));
        assert_eq!(next(Some(7)).as_deref(), Some("2024-02-01"));
        assert_eq!(next(Some(24)), None);
        assert_eq!(next(Some(11)), None);
    }
}
