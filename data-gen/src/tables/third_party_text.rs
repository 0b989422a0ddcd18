use crate::calendar::date_of;
use crate::community::{Community, Creator, Deal, Document};
use crate::random::Stream;
use crate::reference::{Fill, fill, phrases, words};
use chrono::Datelike;

const ZERO_WIDTH_SPACE: char = '\u{200B}';

/// When the documents were collected: 20 January 2026.
pub(super) const COLLECTED_AT: &str = "2026-01-20T02:00:00Z";

/// The words of a creator's document.
pub(super) struct Written {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) tags: Vec<String>,
}

/// How the creator can be reached for business: the agency's address, somebody's who helps, the one in the tax register,
/// or another.
pub(super) fn contact(community: &Community, creator: &Creator) -> String {
    if let Some(agency) = creator.keys.agency {
        agency.email.to_owned()
    } else if let Some(other) = creator.keys.others_email {
        community.taxpayers[other].email.clone()
    } else if creator.index.is_multiple_of(3) {
        community.taxpayers[creator.taxpayer].email.clone()
    } else {
        format!("hello.{}@creator.example", creator.handle.trim_start_matches('@'))
    }
}

/// The business number that the creator shows: the one of the agency or shop behind the channel.
pub(super) fn shown_ban(community: &Community, creator: &Creator) -> Option<String> {
    if let Some(agency) = creator.keys.agency {
        return Some(agency.ban.as_str().to_owned());
    }
    let firms = community.businesses.len().max(1);
    let at = usize::try_from(creator.index % 97).unwrap_or(0) % firms;
    community.firms().nth(at).map(|(_, business)| business.ban.as_str().to_owned())
}

pub(super) fn fill_for(
    community: &Community,
    creator: &Creator,
    deal: Option<&Deal>,
    day: i32,
    random: &mut Stream,
) -> Fill {
    let price = random.between(40, 400) * 10;
    let discount = random.between(60, 95);
    let short = |day: i32| {
        let date = date_of(day);
        format!("{}/{}", date.month(), date.day())
    };
    let start = day + random.days(0, 3);
    Fill {
        brand: deal
            .map_or_else(|| random.pick(&words().brand).unwrap_or_default(), |deal| deal.brand)
            .to_owned(),
        code: format!(
            "{}{}",
            creator
                .handle
                .chars()
                .filter(char::is_ascii_alphabetic)
                .take(5)
                .collect::<String>()
                .to_uppercase(),
            random.between(10, 99)
        ),
        discount: if discount % 10 == 0 { (discount / 10).to_string() } else { discount.to_string() },
        cut: random.between(5, 30).saturating_mul(10).to_string(),
        price,
        sale: price * discount / 100,
        start: short(start),
        end: short(start + random.days(4, 9)),
        mail: contact(community, creator),
        ban: shown_ban(community, creator).unwrap_or_default(),
        bank: random.pick(&words().bank).unwrap_or("004").to_owned(),
        nick: creator.nick.to_owned(),
        topic: random.pick(&topics()).unwrap_or_default().to_owned(),
    }
}

fn topics() -> Vec<&'static str> {
    phrases("Q0").iter().flat_map(|line| line.split(' ')).collect()
}

fn line(class: &str, with: &Fill, random: &mut Stream) -> String {
    fill(random.pick(phrases(class)).unwrap_or_default(), with)
}

/// Writes a document's words: plain talk, and what its deal or group buy leaves behind.
pub(super) fn write(
    community: &Community,
    creator: &Creator,
    document: &Document<'_>,
    random: &mut Stream,
) -> Written {
    let with = fill_for(community, creator, document.deal, document.day, random);
    let mut lines = vec![line("P0", &with, random)];
    if random.per_mille(600) {
        lines.push(line("P0", &with, random));
    }
    let mut tags = vec![creator.nick.to_owned(), with.topic.clone()];
    if let Some(deal) = document.deal {
        if deal.disclosed {
            let class = ["Z01", "Z02", "Z02", "Z01", "Z03", "E1", "Z02", "J1"][random.index(8)];
            lines.push(line(class, &with, random));
            tags.push("廠商合作".to_owned());
        }
        if deal.detectable {
            for class in [["Z05", "Z10"], ["Z05", "Z11"], ["Z03", "Z07"], ["Z07", "Z05"], ["E3", "E2"]]
                [random.index(5)]
            {
                lines.push(line(class, &with, random));
            }
        }
    } else if document.group_buy {
        lines.push(line("Z06", &with, random));
        for class in ["Z10", "Z11", "Z05", "Z12", "Z13"] {
            if random.per_mille(450) {
                lines.push(line(class, &with, random));
            }
        }
    } else {
        for (class, chance) in [("Z04", 60), ("Z07", 40), ("E4", 10)] {
            if random.per_mille(chance) {
                lines.push(line(class, &with, random));
            }
        }
    }
    let payment = if creator.live { 300 } else { 40 };
    for (class, chance) in [("Z08", payment), ("E5", payment / 6), ("Z09", 180)] {
        if random.per_mille(chance) {
            lines.push(line(class, &with, random));
        }
    }
    let mut body = lines.join("\n");
    if random.per_mille(40) {
        let at = body.char_indices().nth(6).map_or(body.len(), |(at, _)| at);
        body.insert(at, ZERO_WIDTH_SPACE);
    }
    Written { title: line("T0", &with, random), body, tags }
}

/// A token of letters and digits as platforms use them for ids.
pub(super) fn token(length: usize, random: &mut Stream) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..length).map(|_| char::from(ALPHABET[random.index(ALPHABET.len())])).collect()
}

/// Rounded down to three significant figures, as the platforms show it.
pub(super) fn three_figures(value: i64) -> i64 {
    let mut unit = 1;
    while value / unit >= 1000 {
        unit *= 10;
    }
    value / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_rounded_as_shown() {
        for (value, shown) in [(0, 0), (999, 999), (1_234, 1_230), (152_987, 152_000)] {
            assert_eq!(three_figures(value), shown);
        }
    }
}
