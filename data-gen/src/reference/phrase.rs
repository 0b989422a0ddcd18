use std::sync::LazyLock;

use super::table_text::{field, rows};

/// What the braces of a phrase stand for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fill {
    pub(crate) brand: String,
    pub(crate) code: String,
    pub(crate) discount: String,
    pub(crate) cut: String,
    pub(crate) price: i64,
    pub(crate) sale: i64,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) mail: String,
    pub(crate) ban: String,
    pub(crate) bank: String,
    pub(crate) nick: String,
    pub(crate) topic: String,
}

/// The phrases of a class (`Z01` … of the lexicon, `P0` plain talk, `T0` titles, `Q0` topics).
pub(crate) fn phrases(class: &str) -> &'static [&'static str] {
    static LIST: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
        let mut list: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for row in rows(include_str!("data/phrase.tsv")) {
            let (class, phrase) = (field(&row, 0), field(&row, 1));
            match list.last_mut() {
                Some((last, phrases)) if *last == class => phrases.push(phrase),
                _ => list.push((class, vec![phrase])),
            }
        }
        list
    });
    LIST.iter().find(|(name, _)| *name == class).map_or(&[], |(_, phrases)| phrases)
}

/// Fills in the braces.
pub(crate) fn fill(phrase: &str, with: &Fill) -> String {
    let mut text = String::with_capacity(phrase.len() + 16);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        match name {
            "brand" => text.push_str(&with.brand),
            "code" => text.push_str(&with.code),
            "codewide" => text.push_str(&full_width(&with.code)),
            "discount" => text.push_str(&with.discount),
            "cut" => text.push_str(&with.cut),
            "price" => text.push_str(&thousands(with.price)),
            "pricewide" => text.push_str(&full_width(&thousands(with.price))),
            "sale" => text.push_str(&thousands(with.sale)),
            "start" => text.push_str(&with.start),
            "end" => text.push_str(&with.end),
            "mail" => text.push_str(&with.mail),
            "ban" => text.push_str(&with.ban),
            "bank" => text.push_str(&with.bank),
            "nick" => text.push_str(&with.nick),
            "topic" => text.push_str(&with.topic),
            _ => {}
        }
        rest = tail;
    }
    text.push_str(rest);
    text
}

fn thousands(value: i64) -> String {
    if value >= 1000 { format!("{},{:03}", value / 1000, value % 1000) } else { value.to_string() }
}

fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_phrases() {
        for class in
            (1..=13).map(|n| format!("Z{n:02}")).chain(["E1", "E5", "J1", "P0", "T0", "Q0"].map(String::from))
        {
            assert!(!phrases(&class).is_empty(), "{class}");
        }
        assert!(phrases("none").is_empty());
    }

    #[test]
    fn braces_are_filled() {
        let with = Fill { brand: "沐光肌".into(), price: 1680, code: "MO20".into(), ..Fill::default() };
        assert_eq!(fill("{brand} 原價${price} {pricewide}", &with), "沐光肌 原價$1,680 １，６８０");
        assert_eq!(fill("碼 {codewide}。", &with), "碼 ＭＯ２０。");
    }
}
