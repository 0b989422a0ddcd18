use datafusion::prelude::SessionContext;

/// A session with every function of the registry and nothing else of Tithe's.
#[expect(
    clippy::disallowed_methods,
    reason = "the functions are tested without the engine, which depends on them"
)]
pub(crate) fn session() -> SessionContext {
    let mut session = SessionContext::new();
    tithe_udfs::register_all(&mut session).expect("every function registers");
    session
}
