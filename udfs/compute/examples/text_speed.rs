//! How fast texts are made half-width and scanned for amounts, signs of sponsors, discount codes and group-buy windows:
//! megabytes in a second of processor time, which other programs on the machine disturb less than time on the clock.
//!
//! ```text
//! cargo run --release -p tithe-compute --example text_speed -- [megabytes] [function]
//! ```

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::hint::black_box;

use chrono::NaiveDate;
use tithe_compute::amount::extract_amounts;
use tithe_compute::promotion::{SponsorLexicon, discount_codes, group_buy_window};
use tithe_compute::text::normalise;

mod processor_time;

use processor_time::processor_seconds;

/// The best of so many runs counts.
const RUNS: u32 = 5;

/// What creators write: a group-buy post and a sponsored description.
const PROMOTIONS: [&str; 2] = [
    "【9/1-9/7 團】膠原飲 30入 原價$1,680 團購價$1,180 (滿3盒免運)\n下單:https://portaly.cc/xxx\n收單 9/7 23:59 到貨約2週 +1 請留 數量",
    "本影片由好好公司贊助。輸入折扣碼:XIAO88 享85折,滿1000現折100!合作邀約:biz@agency.example",
];

/// The talk that is most of any corpus.
const TALK: [&str; 2] = [
    "今天帶大家去看看我們家附近新開的咖啡店,老闆人很好,座位也寬敞,假日人比較多,建議平日去。\n\
     影片裡有提到的器材都放在下面,有問題歡迎留言,我們下次見,記得訂閱頻道並開啟小鈴鐺。",
    "In this video I walk through the night market and try everything my subscribers asked for. Thanks for watching!",
];

/// A function over one text, of whose answer nothing is kept.
type Scan<'a> = &'a dyn Fn(&str);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: usize = arguments.next().map_or(Ok(16), |argument| argument.parse())?;
    let only = arguments.next();
    let lexicon = SponsorLexicon::shipped()?;
    let scans: [(&str, Scan<'_>); 6] = [
        ("normalise", &|text| drop(black_box(normalise(text)))),
        ("extract_amounts", &|text| drop(black_box(extract_amounts(text)))),
        ("sponsor_signals", &|text| drop(black_box(lexicon.signals(text)))),
        ("normalise, then sponsor_signals", &|text| drop(black_box(lexicon.signals(&normalise(text))))),
        ("discount_codes", &|text| drop(black_box(discount_codes(text)))),
        ("group_buy_window", &|text| {
            black_box(group_buy_window(text, NaiveDate::from_ymd_opt(2025, 8, 30)));
        }),
    ];
    println!("{:32} {:>8} {:>11} {:>8}", "MB/s", "together", "promotions", "talk");
    for (name, scan) in scans.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
    {
        let [promotions, talk] = [&PROMOTIONS, &TALK].map(|texts| seconds(texts, megabytes, scan));
        let (promotions, talk) = (promotions?, talk?);
        // Each text as often as any other.
        let [of_promotions, of_talk] = [&PROMOTIONS, &TALK].map(|texts| bytes(texts) as f64);
        let together = (of_promotions + of_talk) / (of_promotions * promotions + of_talk * talk);
        println!("{name:32} {together:8.0} {:11.0} {:8.0}", promotions.recip(), talk.recip());
    }
    Ok(())
}

/// Seconds a megabyte of these texts takes, the best of all runs.
fn seconds(texts: &[&str], megabytes: usize, scan: Scan<'_>) -> Result<f64, Box<dyn std::error::Error>> {
    let rounds = (megabytes * 1_000_000).div_ceil(bytes(texts));
    let told = || processor_seconds().ok_or("the system does not tell processor time");
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let started = told()?;
        for _ in 0..rounds {
            texts.iter().for_each(|text| scan(text));
        }
        best = best.min(told()? - started);
    }
    Ok(best * 1e6 / (rounds * bytes(texts)) as f64)
}

fn bytes(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.len()).sum()
}
