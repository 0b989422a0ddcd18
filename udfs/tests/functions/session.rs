use std::io::Write;
use std::sync::Arc;

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
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&[b'k'; 32]).expect("a key");
    let key = tithe_udfs::PseudonymKey::read(file.path()).expect("a key");
    tithe_udfs::register_pseudonym(&mut session, Arc::new(key)).expect("it registers");
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
