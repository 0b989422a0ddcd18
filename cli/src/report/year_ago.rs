//! What the forecast would have said a year ago, beside what came.

use crate::failure::Result;
use crate::report::answer::Answer;
use crate::report::figure::Point;
use crate::report::number::whole;

/// One tax's forecast of months that are known by now.
#[derive(Debug, Default)]
pub(crate) struct YearAgo {
    pub(crate) said: Vec<Point>,
    came: f64,
    /// Sums of errors and of what came, each without its sign.
    missed: f64,
    size: f64,
    /// Months within the narrow interval, and within the wide one.
    within: [usize; 2],
}

impl YearAgo {
    /// Adds a month: what was said, with its intervals, and what came.
    pub(crate) fn add(&mut self, month: i32, said: f64, intervals: [(f64, f64); 2], came: f64) {
        self.said.push((month, said));
        self.came += came;
        self.missed += (said - came).abs();
        self.size += came.abs();
        for (count, (low, high)) in self.within.iter_mut().zip(intervals) {
            *count += usize::from(low <= came && came <= high);
        }
    }

    /// What the sum would have been said to be, what it was, and how far off the months were; `None` without a month.
    pub(crate) fn told(&self) -> Option<String> {
        let months = self.said.len();
        let said: f64 = self.said.iter().map(|point| point.1).sum();
        if months == 0 || self.size <= 0.0 {
            return None;
        }
        let [narrow, wide] = self.within;
        Some(format!(
            "A year ago the method would have said NT$ {} million for the last {months} months; NT$ {} million came{}. \
             Single months were off by {:.1} % on average; {narrow} of {months} lay within the 80 % interval, {wide} within \
             the 95 % interval.",
            whole(said),
            whole(self.came),
            self.error().map_or_else(String::new, |error| format!(", so it was {}", in_words(error))),
            self.missed / self.size * 100.0,
        ))
    }

    /// How far the sum that was said was above the one that came, in per cent of it, if that is positive.
    pub(crate) fn error(&self) -> Option<f64> {
        let said: f64 = self.said.iter().map(|point| point.1).sum();
        (self.came > 0.0).then(|| (said / self.came - 1.0) * 100.0)
    }
}

fn in_words(error: f64) -> String {
    match format!("{:.1}", error.abs()).as_str() {
        "0.0" => "right to a thousandth".to_owned(),
        percent => format!("{percent} % too {}", if error > 0.0 { "high" } else { "low" }),
    }
}

/// The rows of `revenue/forecast_a_year_ago`, each told with its tax.
pub(crate) fn read(answer: &Answer, mut tell: impl FnMut(&str, &dyn Fn(&mut YearAgo))) -> Result<()> {
    let (types, days) = (answer.texts("tax_type")?, answer.days("month")?);
    let (said, came) = (answer.numbers("forecast")?, answer.numbers("came")?);
    let (lo80, hi80) = (answer.numbers("lo80")?, answer.numbers("hi80")?);
    let (lo95, hi95) = (answer.numbers("lo95")?, answer.numbers("hi95")?);
    for row in 0..answer.len() {
        let at = |values: &[Option<f64>]| values.get(row).copied().flatten();
        let month = days.get(row).copied().flatten().map(super::revenue::number);
        let (Some(tax), Some(month)) = (types.get(row), month) else { continue };
        let (Some(said), Some(came)) = (at(&said), at(&came)) else { continue };
        let (Some(lo80), Some(hi80), Some(lo95), Some(hi95)) = (at(&lo80), at(&hi80), at(&lo95), at(&hi95))
        else {
            continue;
        };
        tell(tax, &|past: &mut YearAgo| past.add(month, said, [(lo80, hi80), (lo95, hi95)], came));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_told_in_words() {
        let mut past = YearAgo::default();
        assert_eq!(past.told(), None);
        past.add(1, 90.0, [(85.0, 95.0), (80.0, 100.0)], 100.0);
        past.add(2, 100.0, [(95.0, 105.0), (90.0, 110.0)], 100.0);
        assert_eq!(
            past.told().unwrap(),
            "A year ago the method would have said NT$ 190 million for the last 2 months; NT$ 200 million came, so it was \
             5.0 % too low. Single months were off by 5.0 % on average; 1 of 2 lay within the 80 % interval, 2 within the \
             95 % interval."
        );
        past.add(3, 110.0, [(95.0, 105.0), (90.0, 110.0)], 100.0);
        assert!(past.told().unwrap().contains("came, so it was right to a thousandth. "));
        past.add(4, 10.0, [(0.0, 1.0), (0.0, 1.0)], -400.0);
        let told = past.told().unwrap();
        assert!(told.contains("NT$ -100 million came. Single") && past.error().is_none(), "{told}");
    }
}
