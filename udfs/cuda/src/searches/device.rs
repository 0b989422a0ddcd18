use std::error::Error;

use tithe_compute::forecast::{Found, SearchDevice, Searches, Theta};

use super::arbiter::Arbiter;
use super::cut::cut;
use super::plan::{Plan, Work, check};

/// The most bytes of a batch: more searches at once keep no GPU busier.
const MOST_BATCH: usize = 64 << 20;

/// What runs kernels: a GPU, or in tests an interpreter.
pub trait Machine: Send + Sync {
    /// Hands `write` the input to fill, copies it to the device, runs the launches, copies the output back and hands it
    /// to `read`. Calls may come from several threads at once.
    ///
    /// # Errors
    /// When the device fails, or `write` or `read` does.
    fn run(
        &self,
        work: &Work,
        write: &mut dyn FnMut(&mut [u64]) -> MachineResult<()>,
        read: &mut dyn FnMut(&[u64]) -> MachineResult<()>,
    ) -> MachineResult<()>;
}

/// What a machine gives.
pub type MachineResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs searches, and the draws of the income model, on a machine, within a budget of its memory that all threads share. Those that its kernels do not
/// take run on the processor.
#[derive(Debug)]
pub struct DeviceSearches<M> {
    machine: M,
    arbiter: Arbiter,
}

impl<M: Machine> DeviceSearches<M> {
    /// With `budget` bytes of the memory of `machine`.
    pub fn new(machine: M, budget: usize) -> Self {
        Self { machine, arbiter: Arbiter::new(budget) }
    }

    /// What runs the plans.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Bytes on the device.
    pub(crate) fn most_of_a_batch(&self) -> usize {
        self.arbiter.budget().min(MOST_BATCH)
    }

    fn run(&self, plan: &Plan<'_>) -> MachineResult<Found> {
        let mut found = Found::default();
        self.run_work(plan.work(), &mut |input| Ok(plan.write(input)?), &mut |output| {
            found = plan.read(output)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// [`Machine::run`], once there is memory for it.
    pub(crate) fn run_work(
        &self,
        work: &Work,
        write: &mut dyn FnMut(&mut [u64]) -> MachineResult<()>,
        read: &mut dyn FnMut(&[u64]) -> MachineResult<()>,
    ) -> MachineResult<()> {
        let _reserved = self.arbiter.reserve(work.bytes())?;
        self.machine.run(work, write, read)
    }
}

impl<M: Machine> SearchDevice for DeviceSearches<M> {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        check(searches)?;
        if let Ok(plan) = Plan::new(searches)
            && plan.work().bytes() <= self.most_of_a_batch()
        {
            return self.run(&plan);
        }
        let nothing = Theta { alpha: f64::NAN, line_weight: f64::NAN, level: f64::NAN, decay: f64::NAN };
        let mut found = Found {
            smoothing: vec![None; searches.smoothing.len()],
            factors: searches.factors.clone(),
            theta: vec![nothing; searches.theta.len()],
            on_device: 0,
        };
        let cut = cut(searches, self.most_of_a_batch());
        for piece in &cut.pieces {
            let plan = Plan::new(&piece.searches)?;
            piece.give_back(self.run(&plan)?, searches, &mut found);
        }
        if !cut.left.is_empty() {
            cut.left.give_back(cut.left.searches.run(), searches, &mut found);
        }
        Ok(found)
    }

    /// A little less than a batch, whose alignment is not counted here.
    fn most_bytes(&self) -> usize {
        self.most_of_a_batch() / 8 * 7
    }
}
