//! Where the draws of a batch are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::Result;
use tithe_compute::income::{Estimate, Evidence, Priors, estimate_all, estimate_batch};

use super::NAME;
use super::arguments::Options;
use crate::backend::{Backend, device_asked_for, device_if_usable, gave_out};
use crate::device::{ComputeDevice, CountedDraws, count_creators_on_device, count_creators_on_processor};

/// Fewest creators of a batch for which `auto` uses a device: derived from instruction counts as what a GPU needs to be
/// faster than 16 cores, and not measured.
const FEWEST_CREATORS: usize = 50;

/// Where the calls of a plan draw.
#[derive(Debug)]
pub(super) struct EstimateBackend {
    backend: Backend,
    /// Whether the device has failed and the processor goes on without it.
    failed: Arc<AtomicBool>,
}

impl EstimateBackend {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, failed: Arc::default() }
    }

    /// The estimates of a batch; NULL evidence has none. The same bits wherever they are made.
    ///
    /// # Errors
    /// When the session asked for a device that fails or is not there.
    pub(super) fn estimates(
        &self,
        evidence: &[Option<Evidence>],
        priors: &Priors,
        options: Options,
    ) -> Result<Vec<Option<Estimate>>> {
        let creators = evidence.iter().flatten().count();
        let (draws, seed, explain) = (options.draws, options.seed.cast_unsigned(), options.explain);
        if let Some(device) = self.device(creators)? {
            match estimate_batch(evidence, priors, draws, seed, explain, &CountedDraws(device)) {
                Ok(estimates) => {
                    count_creators_on_device(creators);
                    tracing::debug!(function = NAME, backend = "cuda", creators);
                    return Ok(estimates);
                }
                Err(error) if self.backend == Backend::Cuda => return Err(gave_out(NAME, &error)),
                Err(error) => {
                    // Batches that were under way with the first that failed fail in silence.
                    if !self.failed.swap(true, Ordering::Relaxed) {
                        tracing::warn!("{NAME}: the GPU failed, and the CPU goes on without it: {error}");
                    }
                }
            }
        }
        count_creators_on_processor(creators);
        Ok(estimate_all(evidence, priors, draws, seed, explain))
    }

    /// Where so many creators are drawn; `None` for the processor.
    fn device(&self, creators: usize) -> Result<Option<&'static dyn ComputeDevice>> {
        match self.backend {
            _ if creators == 0 => Ok(None),
            Backend::Cpu => Ok(None),
            Backend::Auto if creators < FEWEST_CREATORS || self.failed.load(Ordering::Relaxed) => Ok(None),
            Backend::Auto => Ok(device_if_usable(NAME)),
            Backend::Cuda => device_asked_for(NAME).map(Some),
        }
    }
}
