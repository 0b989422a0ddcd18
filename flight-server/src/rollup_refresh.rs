//! Keeps the rollups of a lake up to date while the server runs.

use std::sync::Arc;
use std::time::Duration;

use tithe_engine::{Engine, EngineError, Principal, TableFormat, TableInfo};
use tracing::{info, warn};

use crate::workers::Workers;

/// How often rollups are looked after, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupRefresh {
    /// From the end of one time to the beginning of the next.
    pub every: Duration,
    /// Who does it; under a policy somebody who may write the tables and sees all of them. Tables that are not theirs stay
    /// as they are.
    pub principal: Principal,
}

/// Makes what rollups do not count for, again and again. What fails is logged, and tried again the next time.
pub(crate) async fn keep_fresh(engine: Arc<Engine>, refresh: RollupRefresh, workers: Workers) {
    loop {
        tokio::time::sleep(refresh.every).await;
        let (engine, principal) = (Arc::clone(&engine), refresh.principal.clone());
        let work = async move {
            if let Err(error) = refresh_all(&engine, principal).await {
                warn!("rollups are not refreshed: {error}");
            }
            Ok(())
        };
        if let Err(status) = workers.run(work).await {
            warn!("rollups are not refreshed: {}", status.message());
        }
    }
}

async fn refresh_all(engine: &Arc<Engine>, principal: Principal) -> Result<(), EngineError> {
    let session = engine.session(principal)?;
    for TableInfo { schema, table, format } in session.tables().await? {
        if format != TableFormat::Parquet {
            continue;
        }
        let Ok(rollups) = session.rollups(&schema, &table).await else { continue };
        for rollup in rollups {
            let table_name = format!("{schema}.{table}");
            match rollup.state {
                Ok(state) if state.files_left == 0 => continue,
                Ok(_behind) => {}
                Err(reason) => {
                    warn!(table = table_name, rollup = rollup.name, "a rollup answers nothing: {reason}");
                    continue;
                }
            }
            match session.refresh_rollup(&schema, &table, &rollup.name, &()).await {
                Ok(done) => info!(
                    table = table_name,
                    rollup = rollup.name,
                    folders = done.folders,
                    files = done.files,
                    rows = done.rows,
                    "a rollup is refreshed"
                ),
                Err(error) => {
                    warn!(table = table_name, rollup = rollup.name, "a rollup is not refreshed: {error}");
                }
            }
        }
    }
    Ok(())
}
