use encoding_rs::BIG5;

use super::third_party_text::{contact, fill_for, shown_ban};
use crate::calendar::{day, instant};
use crate::community::{Community, Creator};
use crate::random::{Stream, Topic};
use crate::reference::{fill, phrases};
use crate::write::TableName;

/// Web pages and texts, one file each.
pub(crate) const PAGES: TableName = TableName::new("third_party", "page_raw");

/// A page of a creator's site.
pub(crate) struct Page {
    pub(crate) file_name: String,
    pub(crate) content: Vec<u8>,
    /// Seconds since 1970-01-01; the file's time of change.
    pub(crate) modified: i64,
}

/// The pages of a creator: none for two of three.
pub(crate) fn pages(seed: u64, community: &Community, creator: &Creator) -> Vec<Page> {
    let mut random = Stream::new(seed, Topic::Page, 0, creator.index);
    if !random.per_mille(350) {
        return Vec::new();
    }
    let count = 1 + random.below(2);
    (0..count)
        .map(|nth| {
            let at = day(2024, 1, 1) + random.days(0, 730);
            let deal = creator.years.iter().flat_map(|year| &year.deals).nth(nth as usize);
            let with = fill_for(community, creator, deal, at, &mut random);
            let mut say = |class: &str| fill(random.pick(phrases(class)).unwrap_or_default(), &with);
            let stem = format!("{}-{}", creator.handle.trim_start_matches('@'), nth + 1);
            let ban = shown_ban(community, creator).unwrap_or_default();
            let mail = contact(community, creator);
            let group_buy = creator.years.iter().any(|year| year.campaigns > 0);
            let (talk, more) = (say("P0"), say("P0"));
            let paid = match deal {
                Some(deal) if deal.disclosed => say("Z02"),
                Some(_) => say("Z05"),
                None => say("Z04"),
            };
            let offer = say("Z06");
            let bank = if group_buy { say("Z13") } else { String::new() };
            let form = random.below(10);
            if form < 2 {
                let text = format!(
                    "{offer}\n{talk}\n{}\n{bank}\n+1 請留 數量/超商店號\n統一編號：{ban}\n",
                    say_price(with.price, with.sale)
                );
                let content = if form == 0 { big5(&text) } else { text.into_bytes() };
                return Page { file_name: format!("{stem}.txt"), content, modified: instant(at, 43_200) };
            }
            let (charset, encoded) = match form {
                2..=5 => (Some("utf-8"), false),
                6 => (None, false),
                7 | 8 => (Some("big5"), true),
                _ => (None, true),
            };
            let meta = charset.map(|name| format!("<meta charset=\"{name}\">")).unwrap_or_default();
            let extra = if group_buy { format!("<p>{offer}</p>\n<p>{bank}</p>\n") } else { String::new() };
            let html = format!(
                "<!DOCTYPE html>\n<html lang=\"zh-Hant\">\n<head>{meta}<title>{topic}開箱｜{title}</title>\n\
                 <style>p {{ line-height: 1.6 }}</style>\n<script>var tracker = 'NT$999';</script></head>\n<body>\n\
                 <h1>{topic}開箱</h1>\n<p>{talk}</p>\n<p>{more}&nbsp;&amp; 更多</p>\n<p>{paid}</p>\n{extra}\
                 <span class=\"price\">NT${sale}</span><del>原價{price}</del>\n\
                 <footer>{title}　統一編號：{ban}<br>合作邀約：{mail}</footer>\n</body>\n</html>\n",
                topic = with.topic,
                title = creator.title,
                sale = with.sale,
                price = with.price,
            );
            let content = if encoded { big5(&html) } else { html.into_bytes() };
            Page { file_name: format!("{stem}.html"), content, modified: instant(at, 43_200) }
        })
        .collect()
}

fn say_price(price: i64, sale: i64) -> String {
    format!("原價${price} 團購價${sale}")
}

/// Characters that Big5 lacks become numeric references, as browsers send them.
fn big5(text: &str) -> Vec<u8> {
    BIG5.encode(text).0.into_owned()
}
