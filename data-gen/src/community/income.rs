use super::taxpayer::{Community, Taxpayer};
use crate::calendar::day;
use crate::random::{Stream, Topic, to_whole};

/// A payment that the payer reports to the authority.
#[derive(Clone, Debug)]
pub(crate) struct Payslip {
    /// Position among the community's businesses.
    pub(crate) payer: usize,
    pub(crate) code: &'static str,
    pub(crate) sub_code: Option<&'static str>,
    pub(crate) gross: i64,
    pub(crate) withheld: i64,
    pub(crate) description: &'static str,
    pub(crate) paid_on: i32,
}

/// An income that some people have beside their wages.
struct OtherIncome {
    /// Of a thousand people in a year.
    chance: u32,
    code: &'static str,
    sub_code: Option<&'static str>,
    description: &'static str,
    median: f64,
    log_sd: f64,
}

const fn other(
    chance: u32,
    code: &'static str,
    sub_code: Option<&'static str>,
    description: &'static str,
    median: f64,
    log_sd: f64,
) -> OtherIncome {
    OtherIncome { chance, code, sub_code, description, median, log_sd }
}

const OTHER_INCOMES: [OtherIncome; 7] = [
    other(50, "51", None, "房屋租金", 240_000.0, 0.5),
    other(250, "5A", None, "利息所得", 12_000.0, 1.2),
    other(150, "54", None, "股利所得", 40_000.0, 1.3),
    other(30, "9A", Some("70"), "執行業務報酬", 90_000.0, 0.9),
    other(35, "9B", Some("98"), "稿費及講演鐘點費", 15_000.0, 0.8),
    other(15, "91", None, "競技競賽機會中獎獎金", 8_000.0, 1.0),
    other(30, "92", None, "其他所得", 18_000.0, 1.0),
];

/// Tax withheld from a resident: 10 % of professional fees, writing fees, rent and prizes above NT$20,000.
pub(crate) fn withheld(code: &str, gross: i64) -> i64 {
    match code {
        "9A" | "9B" | "51" | "91" if gross > 20_000 => gross / 10,
        _ => 0,
    }
}

/// What the community's businesses report to have paid an individual in a year, creators' fees aside.
pub(crate) fn payslips(seed: u64, community: &Community, person: &Taxpayer, year: i32) -> Vec<Payslip> {
    let part = u32::try_from(year).unwrap_or(0);
    let mut random = Stream::new(seed, Topic::Payslip, part, person.index);
    let mut slips = Vec::new();
    let payers = community.businesses.len();
    if payers == 0 {
        return slips;
    }
    if random.per_mille(720) {
        let gross = to_whole(random.log_normal(560_000.0, 0.45).max(60_000.0));
        slips.push(Payslip {
            payer: random.index(payers),
            code: "50",
            sub_code: None,
            gross,
            // Monthly pay above the withholding table's first line is taken at 5 %.
            withheld: if gross / 12 > 88_500 { gross / 20 } else { 0 },
            description: "薪資所得",
            paid_on: day(year, 12, 31),
        });
    }
    for OtherIncome { chance, code, sub_code, description, median, log_sd } in OTHER_INCOMES {
        if random.per_mille(chance) {
            let gross = to_whole(random.log_normal(median, log_sd)).max(1_000);
            slips.push(Payslip {
                payer: random.index(payers),
                code,
                sub_code,
                gross,
                withheld: withheld(code, gross),
                description,
                paid_on: day(year, 1, 1) + random.days(0, 364),
            });
        }
    }
    slips
}

/// Income tax of a single person under the brackets for 2024, after the basic deductions.
pub(crate) fn tax_due(income: i64) -> i64 {
    const DEDUCTIONS: i64 = 97_000 + 131_000 + 218_000;
    const BRACKETS: [(i64, i64, i64); 4] =
        [(590_000, 5, 0), (1_330_000, 12, 41_300), (2_660_000, 20, 147_700), (4_980_000, 30, 413_700)];
    let net = (income - DEDUCTIONS).max(0);
    let (rate, less) = BRACKETS
        .iter()
        .find(|(upto, _, _)| net <= *upto)
        .map_or((40, 911_700), |&(_, rate, less)| (rate, less));
    net * rate / 100 - less
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_meet() {
        for (income, due) in
            [(0, 0), (446_000, 0), (1_036_000, 29_500), (1_776_000, 118_300), (10_446_000, 3_088_300)]
        {
            assert_eq!(tax_due(income), due, "income {income}");
        }
    }

    #[test]
    fn fees_above_the_threshold_are_withheld() {
        for (code, gross, expected) in
            [("9A", 20_000, 0), ("9A", 20_010, 2_001), ("9B", 50_000, 5_000), ("92", 50_000, 0)]
        {
            assert_eq!(withheld(code, gross), expected, "{code} {gross}");
        }
    }
}
