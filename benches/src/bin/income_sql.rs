//! How many creators a second `influencer_income` estimates through SQL, beside the function that it calls for a batch, over
//! the same invented creators with all evidence: by the clock, and by the processor time of all threads.
//!
//! `cargo run --release -p tithe-benches --bin income_sql -- [CREATORS [DRAWS [RUNS]]]`

use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use arrow::array::RecordBatch;
use tithe_benches as _;
use tithe_compute::income::{Evidence, Priors, estimate_all, simulate};
use tithe_engine::{Engine, EngineOptions, Principal, Session};

/// Ticks of the processor time that Linux tells, a second.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<u32> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |place: usize, usual| arguments.get(place).copied().unwrap_or(usual);
    let (creators, draws, runs) = (argument(0, 2000).max(1), argument(1, 4096), argument(2, 5));
    let priors = Priors::default();
    let rows: Vec<Option<Evidence>> =
        (0..creators).map(|index| Some(simulate(&priors, 20_260_101, index).evidence)).collect();
    let session = Engine::open(EngineOptions::default()).await?.session(Principal::local())?;
    ask(&session, &format!("CREATE TABLE creators AS {}", table(&rows)?)).await?;
    ask(&session, "SET tithe.compute.backend = cpu").await?;
    let sql = format!("SELECT influencer_income(e, draws => {draws}) AS r FROM creators");
    let (mut through_sql, mut called) = ((0.0_f64, 0.0_f64), (0.0_f64, 0.0_f64));
    for _run in 0..runs.max(1) {
        let started = Spent::now()?;
        let answered: usize = ask(&session, &sql).await?.iter().map(RecordBatch::num_rows).sum();
        through_sql = started.best(through_sql, creators)?;
        let started = Spent::now()?;
        let estimates = estimate_all(&rows, &priors, draws, 0, false);
        called = started.best(called, creators)?;
        if answered != estimates.len() {
            return Err(format!("SQL answered {answered} rows of {}", estimates.len()).into());
        }
    }
    println!("creators a second at {draws} draws, best of {runs}: by the clock, by processor time");
    println!("through SQL          {:7.0} {:7.0}", through_sql.0, through_sql.1);
    println!("the function called  {:7.0} {:7.0}", called.0, called.1);
    Ok(())
}

/// The clock and the processor time so far.
struct Spent {
    clock: Instant,
    processor: f64,
}

impl Spent {
    fn now() -> Result<Self, Box<dyn Error>> {
        Ok(Self { clock: Instant::now(), processor: processor_seconds()? })
    }

    /// The better of these rates and those since then, each by itself.
    fn best(&self, rates: (f64, f64), creators: u32) -> Result<(f64, f64), Box<dyn Error>> {
        let (clock, processor) = (self.clock.elapsed().as_secs_f64(), processor_seconds()? - self.processor);
        let count = f64::from(creators);
        Ok((rates.0.max(count / clock), rates.1.max(count / processor.max(1.0 / TICKS))))
    }
}

/// Seconds of processor time of this process, all threads together.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let told = std::fs::read_to_string("/proc/self/stat")?;
    // What follows the name, which may hold blanks; user and system time are the 12th and 13th of it.
    let (_, fields) = told.rsplit_once(") ").ok_or("no processor time is told")?;
    let ticks: Result<Vec<f64>, _> = fields.split(' ').skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

/// The creators as the rows of a query.
fn table(rows: &[Option<Evidence>]) -> Result<String, std::fmt::Error> {
    let number = |value: Option<f64>| value.map_or("NULL".to_owned(), |value| format!("{value:?}"));
    let text = |value: &Option<String>| value.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let truth = |value: Option<bool>| value.map_or("NULL".to_owned(), |value| value.to_string());
    let mut sql = "SELECT named_struct('channel_id', c, 'year', y, 'followers', f, 'annual_views', v, 'category', k, \
                   'posts', p, 'sponsored_posts', s, 'donation_signal', d, 'group_buy_signal', g, 'seen_deal_amounts', a, \
                   'remittance_twd', r, 'declared_income', i, 'foreign_audience_share', h) AS e FROM (VALUES "
        .to_owned();
    for (place, evidence) in rows.iter().flatten().enumerate() {
        let amounts: Vec<String> =
            evidence.seen_deal_amounts.iter().flatten().map(|amount| format!("{amount:?}")).collect();
        write!(
            sql,
            "{}({}, {}, {}, {}, {}, {}, {}, {}, {}, CAST([{}] AS DOUBLE[]), {}, {}, {})",
            if place == 0 { "" } else { ", " },
            text(&evidence.channel_id),
            evidence.year.map_or("NULL".to_owned(), |year| year.to_string()),
            number(evidence.followers),
            number(evidence.annual_views),
            text(&evidence.category),
            number(evidence.posts),
            number(evidence.sponsored_posts),
            truth(evidence.donation_signal),
            truth(evidence.group_buy_signal),
            amounts.join(", "),
            number(evidence.remittance),
            number(evidence.declared_income),
            number(evidence.foreign_audience_share),
        )?;
    }
    sql.push_str(") AS t(c, y, f, v, k, p, s, d, g, a, r, i, h)");
    Ok(sql)
}

async fn ask(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
    Ok(session.query(sql).await?.collect().await?)
}
