use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
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

/// Plans a statement as the engine does.
pub(crate) async fn ask(session: &SessionContext, sql: &str) -> Result<DataFrame> {
    let state = session.state();
    let mut statement = state.sql_to_statement(sql, &state.config_options().sql_parser.dialect)?;
    tithe_udfs::complete_calls(&mut statement);
    let plan = state.statement_to_plan(statement).await?;
    session.execute_logical_plan(plan).await
}
