//! The type of `period`, and its place in the calendar.

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, TimeUnit};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use datafusion::common::{Result, plan_datafusion_err, plan_err};

const SECONDS_A_DAY: i64 = 86_400;

/// Types of `period`; a period is worked with as a 64-bit number of units.
#[derive(Debug, Clone)]
pub(crate) struct PeriodType {
    data_type: DataType,
    unit: Unit,
    /// The zone whose calendar is meant; none is UTC.
    zone: Option<Tz>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Not a time.
    Number,
    Day,
    /// This many in a second.
    PartOfSecond(i64),
}

/// Casts that give NULL, never an error.
const SAFE: CastOptions =
    CastOptions { safe: true, format_options: arrow::util::display::FormatOptions::new() };

impl PeriodType {
    /// # Errors
    /// When `function` does not take periods of this type.
    pub(super) fn new(function: &str, data_type: &DataType) -> Result<Self> {
        let mut zone = None;
        let unit = match data_type {
            integer if integer.is_integer() => Unit::Number,
            DataType::Date32 => Unit::Day,
            DataType::Date64 => Unit::PartOfSecond(1_000),
            DataType::Timestamp(unit, name) => {
                if let Some(name) = name {
                    let parsed = name.parse::<Tz>().map_err(|error| {
                        plan_datafusion_err!(
                            "{function}: the time zone {name} of argument `period` is not known: {error}"
                        )
                    })?;
                    zone = Some(parsed);
                }
                Unit::PartOfSecond(match unit {
                    TimeUnit::Second => 1,
                    TimeUnit::Millisecond => 1_000,
                    TimeUnit::Microsecond => 1_000_000,
                    TimeUnit::Nanosecond => 1_000_000_000,
                })
            }
            other => {
                return plan_err!(
                    "{function}: argument `period` takes a date, a timestamp or an integer, not {other}; \
                     cast it, as in CAST(period AS DATE)"
                );
            }
        };
        Ok(Self { data_type: data_type.clone(), unit, zone })
    }

    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    pub(super) fn is_number(&self) -> bool {
        self.unit == Unit::Number
    }

    /// Units in a day; `None` for plain numbers.
    pub(super) fn units_a_day(&self) -> Option<u64> {
        match self.unit {
            Unit::Number => None,
            Unit::Day => Some(1),
            Unit::PartOfSecond(parts) => u64::try_from(parts * SECONDS_A_DAY).ok(),
        }
    }

    /// Periods as numbers; NULL where NULL, or where an unsigned one does not fit 64 bits with a sign.
    ///
    /// # Errors
    /// When the array is not of this type.
    pub(super) fn read(&self, array: &ArrayRef) -> Result<Int64Array> {
        if self.data_type == DataType::Date32 {
            return Ok(array.as_primitive::<Date32Type>().unary(i64::from));
        }
        let numbers = cast_with_options(array, &DataType::Int64, &SAFE)?;
        Ok(numbers.as_primitive().clone())
    }

    /// The numbers as periods of this type; NULL where one does not fit.
    ///
    /// # Errors
    /// When Arrow cannot make the array.
    pub(crate) fn write(&self, numbers: Vec<Option<i64>>) -> Result<ArrayRef> {
        let numbers = Int64Array::from(numbers);
        if self.data_type == DataType::Date32 {
            let days = cast_with_options(&numbers, &DataType::Int32, &SAFE)?;
            return Ok(cast_with_options(&days, &DataType::Date32, &SAFE)?);
        }
        Ok(cast_with_options(&numbers, &self.data_type, &SAFE)?)
    }

    /// Wall-clock date and time; `None` for plain numbers and what lies outside of the calendar.
    pub(super) fn to_calendar(&self, number: i64) -> Option<NaiveDateTime> {
        let instant = match self.unit {
            Unit::Number => return None,
            Unit::Day => DateTime::from_timestamp(number.checked_mul(SECONDS_A_DAY)?, 0)?,
            Unit::PartOfSecond(parts) => {
                let nanoseconds = number.rem_euclid(parts) * (1_000_000_000 / parts);
                DateTime::from_timestamp(number.div_euclid(parts), u32::try_from(nanoseconds).ok()?)?
            }
        };
        Some(match &self.zone {
            Some(zone) => instant.with_timezone(zone).naive_local(),
            None => instant.naive_utc(),
        })
    }

    /// The reverse of [`Self::to_calendar`]. A wall-clock time that a change to summer time skips is taken an hour
    /// later.
    pub(super) fn number_at(&self, time: NaiveDateTime) -> Option<i64> {
        let instant: DateTime<Utc> = match &self.zone {
            Some(zone) => zone
                .from_local_datetime(&time)
                .earliest()
                .or_else(|| zone.from_local_datetime(&(time + TimeDelta::hours(1))).earliest())?
                .to_utc(),
            None => time.and_utc(),
        };
        match self.unit {
            Unit::Number => None,
            Unit::Day => Some(instant.timestamp().div_euclid(SECONDS_A_DAY)),
            Unit::PartOfSecond(parts) => {
                let part = i64::from(instant.timestamp_subsec_nanos()) / (1_000_000_000 / parts);
                instant.timestamp().checked_mul(parts)?.checked_add(part)
            }
        }
    }

    /// For error messages.
    pub(super) fn describe(&self, number: i64) -> String {
        match self.to_calendar(number) {
            Some(time) if self.unit == Unit::Day => time.date().to_string(),
            Some(time) => time.to_string(),
            None => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, UInt64Array};
    use std::sync::Arc;

    fn check(data_type: &DataType, number: i64, calendar: &str) {
        let period = PeriodType::new("forecast", data_type).expect("a type of period");
        let time = period.to_calendar(number).expect("inside of the calendar");
        assert_eq!(time.to_string(), calendar);
        assert_eq!(period.number_at(time), Some(number));
        let array = period.write(vec![Some(number), None]).expect("writes");
        assert_eq!(array.data_type(), data_type);
        assert_eq!(period.read(&array).expect("reads"), Int64Array::from(vec![Some(number), None]));
    }

    #[test]
    fn every_type_has_a_place_in_the_calendar() {
        let timestamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
        check(&DataType::Date32, -1, "1969-12-31 00:00:00");
        check(&DataType::Date64, -86_400_000, "1969-12-31 00:00:00");
        check(&timestamp(TimeUnit::Second, None), 3_661, "1970-01-01 01:01:01");
        check(&timestamp(TimeUnit::Millisecond, None), -1, "1969-12-31 23:59:59.999");
        check(&timestamp(TimeUnit::Microsecond, Some("Asia/Taipei")), 57_600_000_000, "1970-01-02 00:00:00");
        check(&timestamp(TimeUnit::Nanosecond, Some("+08:00")), 1, "1970-01-01 08:00:00.000000001");
    }

    #[test]
    fn numbers_are_not_in_the_calendar() {
        let period = PeriodType::new("forecast", &DataType::UInt64).expect("a type of period");
        assert!(period.to_calendar(0).is_none() && period.is_number());
        let large: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
        assert_eq!(period.read(&large).expect("reads"), Int64Array::from(vec![Some(7), None]));
        assert!(period.write(vec![Some(-1)]).expect("writes").is_null(0));
    }

    #[test]
    fn other_types_are_refused() {
        let error = PeriodType::new("forecast", &DataType::Utf8).expect_err("text is no period").to_string();
        assert!(error.contains("`period` takes a date, a timestamp or an integer"), "{error}");
    }

    #[test]
    fn what_is_outside_of_the_calendar_is_none() {
        let period = PeriodType::new("forecast", &DataType::Date64).expect("a type of period");
        assert!(period.to_calendar(i64::MAX).is_none());
        assert!(period.to_calendar(i64::MIN).is_none());
    }
}
