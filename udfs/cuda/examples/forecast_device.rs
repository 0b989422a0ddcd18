//! Measures the forecasts' searches on this machine's GPU: what the kernels take of it, how fast they are alone, and how
//! fast forecasts are from values to steps. Without a GPU it says so.
//!
//! `cargo run --release -p tithe-cuda --example forecast_device [-- SERIES LENGTH SEASON]`
#![expect(clippy::print_stdout, reason = "the figures are the output of this program")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

use tithe_compute::forecast::{
    Adjustments, Form, Found, Model, Request, SearchDevice, Searches, SeriesRef, forecast_batch,
    forecast_many,
};
use tithe_cuda::searches::{DeviceSearches, Kernel, Plan};
use tithe_cuda::{Gpu, gpu, probe};

/// Candidates of a search.
const CANDIDATES: f64 = 96.0;
const TIMES: u32 = 20;

/// Runs searches on the processor and keeps them.
#[derive(Default)]
struct Keeper(Mutex<Searches>);

impl SearchDevice for Keeper {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        *self.0.lock().map_err(|error| error.to_string())? = searches.clone();
        Ok(searches.run())
    }

    fn most_bytes(&self) -> usize {
        usize::MAX
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Some(device) = gpu()? else {
        println!("This machine has no GPU to measure ({:?}).", probe()?);
        return Ok(());
    };
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut next = |usual| arguments.next().unwrap_or(Ok(usual));
    let (count, length, season) = (next(4000)?, next(120)?, next(12)?);
    println!("{}; {count} series of {length} values, {season} in a season", device.machine().device());
    let series: Vec<Vec<f64>> = (0..count).map(|series| values(series, length, season)).collect();
    let requests: Vec<Request<'_>> = series
        .iter()
        .map(|values| Request {
            series: SeriesRef { values, season, horizon: season },
            adjustments: Adjustments::none(),
            model: Model::Auto,
        })
        .collect();
    let keeper = Keeper::default();
    forecast_batch(&requests, &keeper)?;
    let searches = keeper.0.into_inner().map_err(|error| error.to_string())?;
    kernels(device.machine(), &searches, count)?;
    whole(device, &requests, &searches)
}

fn values(series: usize, length: usize, season: usize) -> Vec<f64> {
    let value = |t: usize| {
        let noise = (series * 7919 + t * 104_729) % 1009;
        200.0 + t as f64 + 30.0 * ((t + series) % season.max(1)) as f64 + noise as f64 / 10.0
    };
    (0..length).map(value).collect()
}

/// Operations on doubles that a step of a series takes for one candidate, where none of them is a division, whose cost
/// the instruction set does not tell.
fn operations(kernel: Kernel) -> Option<f64> {
    match kernel.name() {
        "plain" => Some(5.0),
        "plain_trend" => Some(9.0),
        "additive_season" => Some(8.0),
        "additive_season_trend" => Some(12.0),
        "theta" => Some(14.0),
        _ => None,
    }
}

/// Operations on doubles that a multiprocessor starts in a cycle (CUDA C++ Programming Guide, throughput of native
/// arithmetic instructions).
fn lanes(compute_capability: (i32, i32)) -> f64 {
    match compute_capability {
        (8..=10, 0) => 64.0,
        _ => 2.0,
    }
}

fn kernels(gpu: &Gpu, searches: &Searches, series: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("kernel | searches | registers | spilled bytes | warps of most | steps a second | of the limit");
    for kernel in Kernel::all() {
        let part = of_kernel(searches, kernel);
        let plan = Plan::new(&part)?;
        let Some(launch) = plan.work().launches().first() else { continue };
        let resources = gpu.resources(kernel, launch.geometry)?;
        let seconds = gpu.time_of_kernels(&plan, TIMES)?;
        let lengths = part.smoothing.iter().map(|search| search.values.len());
        let steps: usize = lengths.chain(part.theta.iter().map(|search| search.values.len())).sum();
        let rate = steps as f64 * CANDIDATES / seconds;
        let cycles = resources.hertz * f64::from(resources.multiprocessors);
        let limit = operations(kernel).map(|each| cycles * lanes(gpu.device().compute_capability) / each);
        let share = limit.map(|limit| format!("{:.0} %", 100.0 * rate / limit));
        println!(
            "{} | {} | {} | {} | {} of {} | {rate:.3e} | {}",
            kernel.name(),
            part.smoothing.len() + part.theta.len(),
            resources.registers,
            resources.spilled,
            resources.resident_warps,
            resources.most_warps,
            share.as_deref().unwrap_or("not derived")
        );
    }
    let seconds = gpu.time_of_kernels(&Plan::new(searches)?, TIMES)?;
    println!("all kernels alone: {:.0} series a second", series as f64 / seconds);
    Ok(())
}

/// The searches that one kernel runs.
fn of_kernel(searches: &Searches, kernel: Kernel) -> Searches {
    let mut part = searches.clone();
    if kernel == Kernel::Theta {
        part.smoothing.clear();
        return part;
    }
    part.theta.clear();
    let (name, trend) = match kernel.name().strip_suffix("_trend") {
        Some(name) => (name, true),
        None => (kernel.name(), false),
    };
    let form = match name {
        "plain" => Form::Plain,
        "plain_relative" => Form::PlainRelative,
        "additive_season" => Form::AdditiveSeason,
        _ => Form::MultiplicativeSeason,
    };
    part.smoothing.retain(|search| search.shape.form == form && search.shape.has_trend() == trend);
    part
}

fn whole(
    device: &DeviceSearches<Gpu>,
    requests: &[Request<'_>],
    searches: &Searches,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let best = |run: &dyn Fn() -> Result<(), Box<dyn Error + Send + Sync>>| {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            run()?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        Ok::<f64, Box<dyn Error + Send + Sync>>(requests.len() as f64 / best)
    };
    let series: Vec<SeriesRef<'_>> = requests.iter().map(|request| request.series).collect();
    let threads = rayon::current_num_threads();
    let on_gpu = best(&|| {
        black_box(device.search(searches)?);
        Ok(())
    })?;
    println!("searches, with copies: {on_gpu:.0} series a second");
    let on_cpu = best(&|| {
        black_box(searches.run());
        Ok(())
    })?;
    println!("searches on {threads} threads of the CPU: {on_cpu:.0} series a second");
    let on_gpu = best(&|| {
        black_box(forecast_batch(requests, device)?);
        Ok(())
    })?;
    println!("forecasts, from values to steps, searches on the GPU: {on_gpu:.0} series a second");
    let on_cpu = best(&|| {
        black_box(forecast_many(&series, Model::Auto));
        Ok(())
    })?;
    println!("forecasts on {threads} threads of the CPU: {on_cpu:.0} series a second");
    let same = format!("{:?}", forecast_batch(requests, device)?)
        == format!("{:?}", forecast_many(&series, Model::Auto));
    println!("the forecasts are {}", if same { "the same" } else { "NOT the same" });
    if same { Ok(()) } else { Err("the GPU and the CPU disagree".into()) }
}
