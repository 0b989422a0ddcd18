//! What dashboards ask, three ways over the same files: from the table, from rollups, and from kept answers.
//!
//! `cargo run --release -p tithe-benches --bin dashboards -- LAKE [THREADS] [RUNS]`
//!
//! LAKE is one that `tithe gen` wrote. The rollups are made first, and that is timed; they are dropped at the end. The ways
//! take turns, every answer is compared with the table's, and the median of RUNS (5) counts.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use arrow::util::pretty::pretty_format_batches;
use tithe_benches as _;
use tithe_engine::{Engine, EngineOptions, Principal, Session};

/// Table, name and statement of the rollups.
const ROLLUPS: [(&str, &str, &str); 2] = [
    (
        "header",
        "bench_sales",
        "SELECT period, seller_county_code, seller_industry_code, tax_kind, date_trunc('month', invoice_date), count(*), \
         count(buyer_ban), sum(sales_amount), sum(tax_amount), sum(total_amount), min(total_amount), max(total_amount), \
         avg(total_amount) FROM invoice.header GROUP BY 1, 2, 3, 4, 5",
    ),
    (
        "item",
        "bench_items",
        "SELECT period, description, count(*), sum(amount) FROM invoice.item GROUP BY 1, 2",
    ),
];

const QUERIES: [(&str, &str); 9] = [
    ("total", "SELECT count(*), sum(total_amount), avg(total_amount) FROM invoice.header"),
    (
        "by_county",
        "SELECT seller_county_code, count(*), sum(total_amount) FROM invoice.header GROUP BY 1 ORDER BY 1",
    ),
    (
        "by_county_named",
        "SELECT c.name_zh, sum(h.tax_amount) FROM invoice.header h JOIN ref.county c ON h.seller_county_code = c.county_code \
         GROUP BY 1 ORDER BY 1",
    ),
    (
        "by_month",
        "SELECT date_trunc('month', invoice_date), sum(total_amount) FROM invoice.header GROUP BY 1 ORDER BY 1",
    ),
    (
        "by_quarter_and_kind",
        "SELECT date_trunc('quarter', invoice_date), tax_kind, sum(tax_amount), max(total_amount) FROM invoice.header \
         GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "one_year_of_a_county",
        "SELECT seller_industry_code, sum(sales_amount) AS s FROM invoice.header WHERE seller_county_code = '65000' AND \
         invoice_date BETWEEN DATE '2024-01-01' AND DATE '2024-12-31' GROUP BY 1 ORDER BY s DESC, 1 LIMIT 10",
    ),
    (
        "share_of_businesses",
        "SELECT seller_county_code, count(buyer_ban) * 100 / count(*) FROM invoice.header GROUP BY 1 ORDER BY 1",
    ),
    (
        "top_descriptions",
        "SELECT description, sum(amount) AS s FROM invoice.item GROUP BY 1 ORDER BY s DESC, 1 LIMIT 20",
    ),
    (
        "group_buys",
        "SELECT period, count(*), sum(amount) FROM invoice.item WHERE description LIKE '%團購%' GROUP BY 1 ORDER BY 1",
    ),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lake = arguments.next().ok_or("usage: dashboards LAKE [THREADS] [RUNS]")?;
    let threads = arguments.next().map(|text| text.parse()).transpose()?;
    let runs: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let open = async |result_cache| {
        let lake = Some(lake.parse()?);
        let options =
            EngineOptions { lake, target_partitions: threads, result_cache, ..EngineOptions::default() };
        Engine::open(options).await
    };
    let keeper = open(None).await?.session(Principal::local())?;
    let result = measure(&keeper, &open(None).await?, &open(Some(64 << 20)).await?, runs).await;
    for (table, name, _) in ROLLUPS {
        keeper.drop_rollup("invoice", table, name).await?;
    }
    result
}

async fn measure(
    keeper: &Session,
    plain: &Arc<Engine>,
    keeping: &Arc<Engine>,
    runs: usize,
) -> Result<(), Box<dyn Error>> {
    println!("| rollup | made in s | rows | bytes |\n|---|---:|---:|---:|");
    for (table, name, sql) in ROLLUPS {
        let since = Instant::now();
        keeper.create_rollup(name, sql).await?;
        let made = keeper.refresh_rollup("invoice", table, name, &()).await?;
        println!("| {name} | {:.1} | {} | {} |", since.elapsed().as_secs_f64(), made.rows, made.bytes);
    }
    println!(
        "\n| query | table ms | rollup ms | kept ms | table / rollup | table / kept |\n|---|---:|---:|---:|---:|---:|"
    );
    let mut ratios = [0.0; 2];
    for (name, sql) in QUERIES {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        // The first round fills caches of footers, and the kept answers.
        for round in 0..=runs {
            let mut answers = Vec::new();
            for (way, engine) in [plain, plain, keeping].into_iter().enumerate() {
                let session = engine.session(Principal::local())?;
                session.query(&format!("SET tithe.query.rollups = {}", way == 1)).await?.collect().await?;
                let since = Instant::now();
                let query = session.query(sql).await?;
                let from_rollup = !query.rollups()?.is_empty();
                let rows = query.collect().await?;
                let took = since.elapsed().as_secs_f64() * 1e3;
                if from_rollup != (way == 1) {
                    return Err(format!("{name} is answered another way than it should").into());
                }
                if round > 0
                    && let Some(times) = times.get_mut(way)
                {
                    times.push(took);
                }
                answers.push(pretty_format_batches(&rows)?.to_string());
            }
            if answers.iter().any(|answer| Some(answer) != answers.first()) {
                return Err(format!("{name}: the answers differ").into());
            }
        }
        let [table, rollup, kept] = times.map(median);
        for (sum, ratio) in ratios.iter_mut().zip([table / rollup, table / kept]) {
            *sum += ratio.ln();
        }
        println!(
            "| {name} | {table:.1} | {rollup:.2} | {kept:.2} | {:.0} | {:.0} |",
            table / rollup,
            table / kept
        );
    }
    let [rollup, kept] = ratios.map(|sum| (sum / QUERIES.len() as f64).exp());
    println!("| geometric mean | | | | {rollup:.0} | {kept:.0} |");
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
