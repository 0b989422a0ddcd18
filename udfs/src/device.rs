//! The device of this process, and what has been computed on it.

use std::error::Error;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tithe_compute::forecast::{Found, SearchDevice, Searches};
use tithe_compute::income::{DrawDevice, Rows};
use tithe_cuda::CudaError;

/// What computes beside the processor: the searches of forecasts and the draws of incomes.
pub trait ComputeDevice: SearchDevice + DrawDevice {}

impl<D: SearchDevice + DrawDevice> ComputeDevice for D {}

static BROUGHT: OnceLock<Arc<dyn ComputeDevice>> = OnceLock::new();

static SERIES_ON_PROCESSOR: AtomicU64 = AtomicU64::new(0);
static SERIES_ON_DEVICE: AtomicU64 = AtomicU64::new(0);
static SEARCHES_ON_DEVICE: AtomicU64 = AtomicU64::new(0);
static FAILURES: AtomicU64 = AtomicU64::new(0);
static CREATORS_ON_PROCESSOR: AtomicU64 = AtomicU64::new(0);
static CREATORS_ON_DEVICE: AtomicU64 = AtomicU64::new(0);
static DRAW_FAILURES: AtomicU64 = AtomicU64::new(0);

/// Uses `device` in place of this machine's GPU from now on, for all sessions of the process: for tests. `false` where
/// there is one already.
pub fn bring_device(device: Arc<dyn ComputeDevice>) -> bool {
    BROUGHT.set(device).is_ok()
}

/// The device of this process; `None` where there is none.
///
/// # Errors
/// When there is one and it cannot be used.
pub(crate) fn device() -> Result<Option<&'static dyn ComputeDevice>, CudaError> {
    match BROUGHT.get() {
        Some(device) => Ok(Some(device.as_ref())),
        None => Ok(tithe_cuda::gpu()?.map(|gpu| gpu as &dyn ComputeDevice)),
    }
}

/// What the functions of a series, and `influencer_income`, have computed in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Computed {
    /// Series whose parameters were searched on the processor.
    pub series_on_processor: u64,
    /// Series whose parameters were searched on a device, but for what it does not take.
    pub series_on_device: u64,
    /// Searches that ran on a device.
    pub searches_on_device: u64,
    /// Batches of searches that a device failed.
    pub device_failures: u64,
    /// Creators whose income was drawn on the processor.
    pub creators_on_processor: u64,
    /// Creators whose income was drawn on a device.
    pub creators_on_device: u64,
    /// Batches of draws that a device failed.
    pub draw_failures: u64,
}

/// What has been computed so far.
#[must_use]
pub fn computed() -> Computed {
    Computed {
        series_on_processor: SERIES_ON_PROCESSOR.load(Ordering::Relaxed),
        series_on_device: SERIES_ON_DEVICE.load(Ordering::Relaxed),
        searches_on_device: SEARCHES_ON_DEVICE.load(Ordering::Relaxed),
        device_failures: FAILURES.load(Ordering::Relaxed),
        creators_on_processor: CREATORS_ON_PROCESSOR.load(Ordering::Relaxed),
        creators_on_device: CREATORS_ON_DEVICE.load(Ordering::Relaxed),
        draw_failures: DRAW_FAILURES.load(Ordering::Relaxed),
    }
}

/// Counts series whose parameters were searched on the processor.
pub(crate) fn count_on_processor(series: usize) {
    SERIES_ON_PROCESSOR.fetch_add(series as u64, Ordering::Relaxed);
}

/// Counts series whose parameters were searched on a device.
pub(crate) fn count_on_device(series: usize) {
    SERIES_ON_DEVICE.fetch_add(series as u64, Ordering::Relaxed);
}

/// Counts creators whose income was drawn on the processor.
pub(crate) fn count_creators_on_processor(creators: usize) {
    CREATORS_ON_PROCESSOR.fetch_add(creators as u64, Ordering::Relaxed);
}

/// Counts creators whose income was drawn on a device.
pub(crate) fn count_creators_on_device(creators: usize) {
    CREATORS_ON_DEVICE.fetch_add(creators as u64, Ordering::Relaxed);
}

/// A device whose failures to draw are counted.
pub(crate) struct CountedDraws<'a>(pub(crate) &'a dyn ComputeDevice);

impl DrawDevice for CountedDraws<'_> {
    fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
        self.0.draw(rows, draws).inspect_err(|_| {
            DRAW_FAILURES.fetch_add(1, Ordering::Relaxed);
        })
    }
}

/// A device whose searches and failures are counted.
pub(crate) struct Counted<'a> {
    device: &'a dyn SearchDevice,
    searches: AtomicU64,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(device: &'a dyn SearchDevice) -> Self {
        Self { device, searches: AtomicU64::new(0) }
    }

    /// Searches that ran on the device.
    pub(crate) fn searches(&self) -> u64 {
        self.searches.load(Ordering::Relaxed)
    }
}

impl SearchDevice for Counted<'_> {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        let found = self.device.search(searches).inspect_err(|_| {
            FAILURES.fetch_add(1, Ordering::Relaxed);
        })?;
        self.searches.fetch_add(found.on_device as u64, Ordering::Relaxed);
        SEARCHES_ON_DEVICE.fetch_add(found.on_device as u64, Ordering::Relaxed);
        Ok(found)
    }

    fn most_bytes(&self) -> usize {
        self.device.most_bytes()
    }
}
