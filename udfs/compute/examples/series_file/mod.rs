//! Reads `series_id, freq, split, t, value`, sorted or not, for the examples.

use std::collections::BTreeMap;

/// One series with its known future.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// As in the file, quotes included.
    pub(crate) id: String,
    pub(crate) frequency: String,
    /// Values in a season; 1 where the frequency has none.
    pub(crate) season: usize,
    pub(crate) train: Vec<f64>,
    pub(crate) test: Vec<f64>,
}

/// Time, whether it belongs to the test part, value.
type Point = (u64, bool, f64);

/// The series in order of frequency and id.
///
/// A series id may hold commas within double quotes: the four columns after it are read from the end of the line.
pub(crate) fn parse(text: &str) -> Result<Vec<Series>, String> {
    let mut rows: BTreeMap<(String, String), Vec<Point>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let bad = |why: &dyn std::fmt::Display| {
            format!("line {}: not series_id, freq, split, t, value ({why}): {line}", index + 1)
        };
        let mut fields = line.rsplitn(5, ',');
        let mut field = || fields.next().ok_or_else(|| bad(&"a column is missing"));
        let value: f64 = field()?.parse().map_err(|error| bad(&error))?;
        let time: u64 = field()?.parse().map_err(|error| bad(&error))?;
        let test = field()? == "test";
        let frequency = field()?.to_owned();
        let id = field()?.to_owned();
        rows.entry((frequency, id)).or_default().push((time, test, value));
    }
    Ok(rows
        .into_iter()
        .map(|((frequency, id), mut points)| {
            points.sort_by_key(|(time, _, _)| *time);
            let part = |test: bool| points.iter().filter(|p| p.1 == test).map(|p| p.2).collect();
            Series { season: season(&frequency), id, frequency, train: part(false), test: part(true) }
        })
        .collect())
}

fn season(frequency: &str) -> usize {
    match frequency {
        "monthly" => 12,
        "bimonthly" => 6,
        "quarterly" => 4,
        "weekly" => 52,
        "hourly" => 24,
        "hourly_of_week" => 168,
        _ => 1,
    }
}
