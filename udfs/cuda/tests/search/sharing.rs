//! Several threads on one device.

use std::sync::Mutex;
use std::thread;

use tithe_compute::forecast::SearchDevice;
use tithe_cuda::searches::{DeviceSearches, Machine, MachineResult, PTX, Work};

use super::machine::Interpreter;
use super::searches::ordinary;
use super::words;

/// Notes how much of its memory is taken, and fails at one of its runs.
struct Watched {
    inner: Interpreter,
    /// Bytes now, most bytes, batches so far.
    seen: Mutex<(usize, usize, usize)>,
    fails_at: usize,
}

impl Machine for Watched {
    fn run(
        &self,
        work: &Work,
        write: &mut dyn FnMut(&mut [u64]) -> MachineResult<()>,
        read: &mut dyn FnMut(&[u64]) -> MachineResult<()>,
    ) -> MachineResult<()> {
        let batch = {
            let mut seen = self.seen.lock().expect("no thread panics");
            seen.0 += work.bytes();
            seen.1 = seen.1.max(seen.0);
            seen.2 += 1;
            seen.2
        };
        let done = if batch == self.fails_at {
            Err("out of order".into())
        } else {
            self.inner.run(work, write, read)
        };
        self.seen.lock().expect("no thread panics").0 -= work.bytes();
        done
    }
}

fn watched(budget: usize, fails_at: usize) -> DeviceSearches<Watched> {
    let seen = Mutex::new((0, 0, 0));
    DeviceSearches::new(Watched { inner: Interpreter::new(PTX), seen, fails_at }, budget)
}

#[test]
fn threads_share_the_memory_and_get_what_each_gets_alone() {
    const BUDGET: usize = 90_000;
    let searches = ordinary();
    let alone = words(&searches.run());
    let device = watched(BUDGET, 0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let found = device.search(&searches).expect("the kernels run");
                assert_eq!(words(&found), alone);
                assert_eq!(found.on_device, searches.smoothing.len() + searches.theta.len());
            });
        }
    });
    let seen = device.machine().seen.lock().expect("no thread panics");
    assert_eq!(seen.0, 0);
    assert!(seen.1 <= BUDGET, "{} bytes were taken", seen.1);
    // More than one thread's, and each cut into several.
    assert!(seen.2 > 4);
}

#[test]
fn a_batch_that_fails_gives_its_memory_back() {
    let searches = ordinary();
    let device = watched(90_000, 2);
    let error = device.search(&searches).expect_err("the second batch fails").to_string();
    assert_eq!(error, "out of order");
    assert_eq!(words(&device.search(&searches).expect("the others do not")), words(&searches.run()));
}
