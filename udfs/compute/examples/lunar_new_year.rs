//! How much the Lunar New Year explains of the errors in January and February.
//!
//! `cargo run --release -p tithe-compute --example lunar_new_year -- tw_tax_by_type_month.csv [TAX]`
//!
//! The file has the columns `name, tax, month (YYYY-MM-DD), value`. Every December from the twelfth on is an origin;
//! printed are the mean absolute percentage errors of the months ahead, without and with the calendar.
use std::io::Write;

use tithe_compute::calendar::lunar_new_year_share;
use tithe_compute::forecast::{Adjustments, Model, forecast_adjusted};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: lunar_new_year FILE.csv [TAX]")?;
    let tax = arguments.get(1).map_or("total", String::as_str);
    let mut out = std::io::stdout().lock();
    let mut months = Vec::new();
    for line in std::fs::read_to_string(path)?.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        if let [_, name, month, value] = fields[..]
            && name == tax
        {
            let (year, month) = (month[..4].parse::<i32>()?, month[5..7].parse::<u32>()?);
            months.push(((year, month), value.parse().unwrap_or(0.0)));
        }
    }
    months.sort_by_key(|(month, _)| *month);
    let values: Vec<f64> = months.iter().map(|(_, value)| *value).collect();
    let share: Vec<f64> =
        months.iter().map(|((year, month), _)| lunar_new_year_share(*year, *month).unwrap_or(0.0)).collect();
    for horizon in [2, 12] {
        let origins = (144..values.len().saturating_sub(horizon)).filter(|at| months[*at].0.1 == 1);
        for first_year in [1990, 2000, 2005, 2010] {
            let mut errors = [0.0, 0.0];
            let mut count = 0.0;
            for origin in origins.clone().filter(|at| months[*at].0.0 >= first_year) {
                for (error, holiday) in errors.iter_mut().zip([None, Some(&share[..])]) {
                    let adjustments = Adjustments { drift: 0.0, holiday };
                    let forecast =
                        forecast_adjusted(&values[..origin], 12, horizon, Model::Auto, &adjustments)?;
                    *error += (0..horizon)
                        .map(|step| {
                            (forecast.steps[step].mean - values[origin + step]).abs() / values[origin + step]
                        })
                        .sum::<f64>();
                }
                count += horizon as f64;
            }
            let percent = errors.map(|error| 100.0 * error / count);
            writeln!(
                out,
                "{tax} since {first_year}, {horizon} months ahead: {:.2} % without, {:.2} % with the calendar ({count} months)",
                percent[0], percent[1]
            )?;
        }
    }
    Ok(())
}
