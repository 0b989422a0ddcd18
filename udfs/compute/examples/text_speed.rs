//! How fast texts are made half-width and scanned for amounts, signs of sponsors, discount codes and group-buy windows,
//! in megabytes a second on one core.
//!
//! ```text
//! cargo run --release -p tithe-compute --example text_speed -- [megabytes]
//! ```

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::hint::black_box;
use std::time::Instant;

use chrono::NaiveDate;
use tithe_compute::amount::extract_amounts;
use tithe_compute::promotion::{SponsorLexicon, discount_codes, group_buy_window};
use tithe_compute::text::normalise;

/// The best of so many runs counts.
const RUNS: u32 = 5;

/// What creators write: one group-buy post, one sponsored description, and the talk that is most of any corpus.
const TEXTS: [&str; 4] = [
    "【9/1-9/7 團】膠原飲 30入 原價$1,680 團購價$1,180 (滿3盒免運)\n下單:https://portaly.cc/xxx\n收單 9/7 23:59 到貨約2週 +1 請留 數量",
    "本影片由好好公司贊助。輸入折扣碼:XIAO88 享85折,滿1000現折100!合作邀約:biz@agency.example",
    "今天帶大家去看看我們家附近新開的咖啡店,老闆人很好,座位也寬敞,假日人比較多,建議平日去。\n\
     影片裡有提到的器材都放在下面,有問題歡迎留言,我們下次見,記得訂閱頻道並開啟小鈴鐺。",
    "In this video I walk through the night market and try everything my subscribers asked for. Thanks for watching!",
];

/// A function over one text, of whose answer nothing is kept.
type Scan<'a> = &'a dyn Fn(&str);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let megabytes: usize = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(16);
    let texts: Vec<&str> =
        TEXTS.iter().copied().cycle().take(megabytes * 1_000_000 * TEXTS.len() / bytes(&TEXTS)).collect();
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
    for (name, scan) in scans {
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let started = Instant::now();
            texts.iter().for_each(|text| scan(text));
            best = best.min(started.elapsed().as_secs_f64());
        }
        println!("{name:32} {:.0} MB/s", bytes(&texts) as f64 / 1e6 / best);
    }
    Ok(())
}

fn bytes(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.len()).sum()
}
