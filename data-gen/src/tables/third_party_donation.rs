use serde::Serialize;

use super::third_party_text::COLLECTED_AT;
use crate::calendar::{day, iso};
use crate::community::Creator;
use crate::random::{Stream, Topic, to_whole};
use crate::write::{Lines, TableName};

/// Donations shown on screen during live streams: a sample, not all of them.
pub(crate) const DONATIONS: TableName = TableName::new("third_party", "donation_raw");

#[derive(Serialize)]
struct Donation<'a> {
    platform: &'static str,
    ts: String,
    #[serde(rename = "type")]
    kind: &'static str,
    amount: i64,
    currency: &'static str,
    channel: &'a str,
    collected_at: &'static str,
}

/// Writes a sample of the donations to a creator.
pub(crate) fn donations(seed: u64, creator: &Creator, lines: &mut Lines) -> Result<(), serde_json::Error> {
    for year in creator.years.iter().filter(|year| year.donations > 0) {
        let part = u32::try_from(year.year).unwrap_or(0);
        let mut random = Stream::new(seed, Topic::Donation, part, creator.index);
        let mut left = year.donations;
        for _ in 0..random.between(6, 24) {
            let (platform, kind) = [
                ("youtube", "superchat"),
                ("twitch", "bits"),
                ("twitch", "sub"),
                ("ecpay", "ecpay"),
                ("youtube", "superchat"),
            ][random.index(5)];
            let amount = to_whole(random.log_normal(150.0, 0.9) / 5.0).max(3) * 5;
            if amount > left {
                break;
            }
            left -= amount;
            let at = day(year.year, 1, 1) + random.days(0, 364);
            lines.push(&Donation {
                platform,
                ts: iso(at, 36_000 + random.days(0, 18_000)),
                kind,
                amount,
                currency: "TWD",
                channel: &creator.handle,
                collected_at: COLLECTED_AT,
            })?;
        }
    }
    Ok(())
}
