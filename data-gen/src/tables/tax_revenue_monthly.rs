use crate::calendar::day;
use crate::random::{Stream, Topic, to_whole};
use crate::reference::{County, TaxType, counties, tax_types};
use crate::write::{Column, Record, TableName, date, integer, text};

const FIRST_YEAR: i32 = 2011;
const YEARS: usize = 15;

/// Net collections of a month, NT$.
pub(crate) struct RevenueRow {
    month: i32,
    tax_type: &'static str,
    county_code: &'static str,
    net_collections: i64,
}

impl Record for RevenueRow {
    const TABLE: TableName = TableName::new("tax", "revenue_monthly");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            date("month", rows, |row| Some(row.month)),
            text("tax_type", rows, |row| row.tax_type),
            text("county_code", rows, |row| row.county_code),
            integer("net_collections", rows, |row| row.net_collections),
        ]
    }
}

/// Lunar New Year's Day of 2011 to 2025, as days after 31 December.
const NEW_YEAR: [i64; YEARS] = [34, 23, 41, 31, 50, 39, 28, 47, 36, 25, 43, 32, 22, 41, 29];

/// Fifteen years of collections by tax and county; the same at every scale.
pub(crate) fn revenue_monthly(seed: u64) -> Vec<RevenueRow> {
    let mut rows = Vec::new();
    for (tax_index, tax) in tax_types().iter().enumerate() {
        for (county_index, county) in counties().iter().enumerate() {
            let entity = tax_index as u64 * 1000 + county_index as u64;
            let mut random = Stream::new(seed, Topic::Revenue, 0, entity);
            let share = county_share(tax, county, &mut random);
            for (year_index, &level) in tax.yearly.iter().enumerate() {
                let year = FIRST_YEAR + i32::try_from(year_index).unwrap_or(0);
                let tilt = random.log_normal(1.0, 0.02);
                for (month_index, profile) in profile_of(tax, year_index).into_iter().enumerate() {
                    let millions = level as f64 * share * tilt * profile;
                    let noise = random.log_normal(1.0, 0.035);
                    rows.push(RevenueRow {
                        month: day(year, u32::try_from(month_index + 1).unwrap_or(1), 1),
                        tax_type: tax.code,
                        county_code: county.code,
                        net_collections: to_whole(millions * noise * 1_000_000.0),
                    });
                }
            }
        }
    }
    rows.sort_by_key(|row| (row.month, row.tax_type, row.county_code));
    rows
}

/// Shares of the months in a year, with the moved deadlines of 2020 to 2022 and the moving New Year.
fn profile_of(tax: &TaxType, year_index: usize) -> Vec<f64> {
    let mut profile: Vec<f64> = tax.profile.iter().map(|&share| share as f64 / 1000.0).collect();
    if profile.len() != 12 {
        return profile;
    }
    let year = FIRST_YEAR + i32::try_from(year_index).unwrap_or(0);
    let income_tax = matches!(tax.code, "corporate_income" | "personal_income");
    if income_tax && matches!(year, 2020..=2022) {
        // Returns were due on 30 June: what came in May and June came in June and July.
        let (from_may, from_june) = if year == 2022 { (0.75, 0.80) } else { (0.80, 0.70) };
        let (may, june) = (profile[4], profile[5]);
        profile[4] = may * (1.0 - from_may);
        profile[5] = june * (1.0 - from_june) + may * from_may * 0.4;
        profile[6] += june * from_june + may * from_may * 0.6;
    }
    if matches!(
        tax.code,
        "amusement" | "deed" | "land_value_increment" | "securities_transaction" | "customs"
    ) {
        // Offices and markets close for a week around New Year's Day.
        let in_january = NEW_YEAR.get(year_index).is_some_and(|&days| days <= 31);
        let (closed, other) = if in_january { (0, 1) } else { (1, 0) };
        let moved = 0.12 * profile[closed];
        profile[closed] -= moved;
        profile[other] += moved;
    }
    profile
}

fn county_share(tax: &TaxType, county: &County, random: &mut Stream) -> f64 {
    let weight = |county: &County| {
        let people = county.population as f64;
        let capital = matches!(county.code, "63000");
        let port = matches!(county.code, "64000" | "10017" | "68000" | "66000");
        match tax.spread {
            "business" if capital => people * 4.0,
            "business" if matches!(county.code, "68000" | "10018" | "65000" | "64000") => people * 1.5,
            "property" if capital => people * 2.6,
            "property" if county.code == "65000" => people * 1.3,
            "capital" if capital => people * 40.0,
            "harbour" if port => people * 8.0,
            _ => people,
        }
    };
    let all: f64 = counties().iter().map(weight).sum();
    weight(county) / all * random.log_normal(1.0, 0.03)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[RevenueRow], tax: &str, year: i32, months: std::ops::RangeInclusive<u32>) -> f64 {
        let (from, to) = (day(year, *months.start(), 1), day(year, *months.end(), 1));
        rows.iter()
            .filter(|row| row.tax_type == tax && (from..=to).contains(&row.month))
            .map(|row| row.net_collections as f64 / 1e6)
            .sum()
    }

    #[test]
    fn years_come_close_to_the_published_levels() {
        let rows = revenue_monthly(42);
        assert_eq!(rows.len(), tax_types().len() * 22 * 15 * 12);
        for (tax, year, million) in [
            ("corporate_income", 2022, 1_028_000.0),
            ("business_vat", 2015, 360_899.0),
            ("house", 2023, 86_000.0),
        ] {
            let total = sum(&rows, tax, year, 1..=12);
            assert!((total / million - 1.0).abs() < 0.06, "{tax} {year}: {total}");
        }
        assert!(rows.iter().all(|row| (day(2011, 1, 1)..=day(2025, 12, 1)).contains(&row.month)));
    }

    #[test]
    fn the_calendar_shows() {
        let rows = revenue_monthly(42);
        assert!(sum(&rows, "business_vat", 2018, 2..=2) < 0.0, "even months of VAT are refunds");
        assert!(
            sum(&rows, "personal_income", 2019, 6..=6) > 8.0 * sum(&rows, "personal_income", 2019, 7..=7)
        );
        assert!(sum(&rows, "corporate_income", 2022, 7..=7) > sum(&rows, "corporate_income", 2022, 5..=5));
        assert!(sum(&rows, "land_value", 2024, 11..=12) > 0.9 * sum(&rows, "land_value", 2024, 1..=12));
    }
}
