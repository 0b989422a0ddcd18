//! How long texts that mean ill take at a tenth of a size and at the whole of it: a function that is linear takes ten times
//! as long for ten times as much.
//!
//! ```text
//! cargo run --release -p tithe-compute --example large_texts -- [megabytes]
//! ```

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::hint::black_box;
use std::time::Instant;

use chrono::NaiveDate;
use tithe_compute::amount::extract_amounts;
use tithe_compute::promotion::{SponsorLexicon, discount_codes, group_buy_window};
use tithe_compute::text::normalise;

/// What is repeated without an end of line, each with its name.
const REPEATED: [(&str, &str); 14] = [
    ("talk", "今天帶大家去看看我們家附近新開的咖啡店,老闆人很好,座位也寬敞。"),
    ("full-width", "優惠價：ＮＴ＄１，２８０元！"),
    ("digits", "1234567890"),
    ("grouped digits", "1,234"),
    ("numerals", "三萬五千"),
    ("amounts", "團購價$1,180 85折 "),
    ("disclosures", "#業配"),
    ("denials", "無業配"),
    ("codes", "折扣碼 CODE1 "),
    ("openings", "輸入合作邀約感謝本影片由"),
    ("blanks after a word", "折扣碼                "),
    ("mailbox without an end", "abcdefgh"),
    ("dates", "9/1-9/7 團"),
    ("marks", "\u{301}\u{323}"),
];

/// A function over one text, of whose answer nothing is kept.
type Read<'a> = &'a dyn Fn(&str);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let megabytes: usize = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(50);
    let lexicon = SponsorLexicon::shipped()?;
    let reads: [(&str, Read<'_>); 5] = [
        ("normalise", &|text| drop(black_box(normalise(text)))),
        ("extract_amounts", &|text| drop(black_box(extract_amounts(text)))),
        ("sponsor_signals", &|text| drop(black_box(lexicon.signals(text)))),
        ("discount_codes", &|text| drop(black_box(discount_codes(text)))),
        ("group_buy_window", &|text| {
            black_box(group_buy_window(text, NaiveDate::from_ymd_opt(2025, 8, 30)));
        }),
    ];
    for (name, repeated) in REPEATED {
        let text = repeated.repeat(megabytes * 1_000_000 / repeated.len());
        let tenth = repeated.repeat(megabytes * 100_000 / repeated.len());
        for (function, read) in reads {
            let [of_tenth, of_whole] = [&tenth, &text].map(|text| {
                let started = Instant::now();
                read(text);
                started.elapsed().as_secs_f64()
            });
            println!("{name:22} {function:16} {of_tenth:7.3} s, then {of_whole:7.3} s for {megabytes} MB");
        }
    }
    Ok(())
}
