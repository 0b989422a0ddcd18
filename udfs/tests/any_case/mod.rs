use std::fmt::Debug;

use datafusion::prelude::SessionContext;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::runtime::Runtime;

use crate::session::session;

/// Tries so many cases, the same in every run, in one session; `check` panics where a case does not hold, which is then made
/// smaller.
pub(crate) fn for_any<C: Debug>(
    cases: u32,
    case: &impl Strategy<Value = C>,
    check: impl Fn(&Runtime, &SessionContext, C),
) {
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_251_125),
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let runtime = Runtime::new().expect("a runtime");
    let session = session();
    let one = |case| {
        check(&runtime, &session, case);
        Ok(())
    };
    TestRunner::new(config).run(case, one).expect("every case holds");
}
