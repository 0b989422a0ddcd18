//! The sessions of a distributed query, derived from the one that it was asked in.

use std::sync::Arc;

use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion_distributed::{
    ChannelResolver, DistributedExt, SessionStateBuilderExt, WorkerPlanRewriteEvent,
    WorkerPlanRewriteEventResponse, WorkerQueryContext, WorkerResolver,
};
use url::Url;
use uuid::Uuid;

use crate::cluster::carried::{carried_settings, query_id, take_carried_settings, with_query_id};
use crate::cluster::channels::Channels;
use crate::cluster::members::{Cluster, Member};
use crate::engine::Engine;
use crate::error::Result;
use crate::execute::{TaskSpan, TitheCodec, guard, merge_reserve, read_again, with_trace};
use crate::optimize::{
    CompactTexts, DistinctTexts, FolderJoins, LateColumns, RunningWindows, SharedSubplans, TextCodes,
    WholeWindows, carried_on, copy_tiny_sides, once_per_text, with_compact_texts, with_distinct_texts,
    without_sorts,
};

/// The workers of one attempt.
struct Attempt(Vec<Url>);

impl WorkerResolver for Attempt {
    fn get_urls(&self) -> datafusion::common::Result<Vec<Url>> {
        Ok(self.0.clone())
    }
}

fn resolver(channels: &Arc<Channels>) -> Arc<dyn ChannelResolver + Send + Sync> {
    Arc::clone(channels) as Arc<dyn ChannelResolver + Send + Sync>
}

/// `state`, planning the query `query` for `members`.
///
/// # Errors
/// When the session's settings cannot travel.
pub(crate) fn distributed_state(
    state: &SessionState,
    cluster: &Cluster,
    members: &[Member],
    query: Uuid,
) -> Result<SessionState> {
    let headers = with_trace(with_query_id(carried_settings(state.config_options())?, query)?);
    let urls = members.iter().map(|member| member.url.clone()).collect();
    let mut builder = SessionStateBuilder::new_from_existing(state.clone());
    // Workers choose for themselves what they read as codes, and what they do not sort. Of our operators few travel.
    let local = |rule: &Arc<dyn PhysicalOptimizerRule + Send + Sync>| {
        let local = [
            CompactTexts::NAME,
            DistinctTexts::NAME,
            FolderJoins::NAME,
            LateColumns::NAME,
            RunningWindows::NAME,
            SharedSubplans::NAME,
            TextCodes::NAME,
            WholeWindows::NAME,
        ];
        local.contains(&rule.name())
    };
    if let Some(optimizer) = builder.physical_optimizers() {
        optimizer.rules.retain(|rule| !local(rule));
    }
    copy_tiny_sides(&mut builder.config().get_or_insert_default().options_mut().optimizer);
    let builder = builder
        .with_distributed_planner()
        .with_distributed_worker_resolver(Attempt(urls))
        .with_distributed_channel_resolver(resolver(cluster.channels()))
        .with_distributed_user_codec(TitheCodec)
        .with_distributed_passthrough_headers(headers)?
        .with_distributed_file_scan_config_bytes_per_partition(cluster.options().bytes_per_partition)?;
    Ok(builder.build())
}

/// The state in which a worker runs one task.
///
/// # Errors
/// When the task's settings cannot be followed here.
pub(crate) fn worker_state(
    engine: &Engine,
    channels: &Arc<Channels>,
    task: WorkerQueryContext,
) -> Result<SessionState> {
    let mut builder = task.builder;
    let config = builder.config().get_or_insert_default();
    take_carried_settings(config, &task.headers)?;
    let partitions = config.target_partitions();
    // By the memory that there is here.
    config.options_mut().execution.sort_spill_reservation_bytes =
        merge_reserve(engine.memory_limit, partitions);
    let text_codes = Arc::clone(&engine.text_codes);
    let span = TaskSpan::new(query_id(&task.headers), &task.headers);
    let mut state = builder
        .with_distributed_channel_resolver(resolver(channels))
        .with_distributed_user_codec(TitheCodec)
        .with_distributed_worker_plan_rewrite_handler(move |event: WorkerPlanRewriteEvent| {
            let plan = carried_on(without_sorts(event.plan)?)?;
            let plan = with_distinct_texts(text_codes.read_codes(plan)?)?;
            let plan = with_compact_texts(once_per_text(plan)?)?;
            let plan = read_again(plan)?;
            Ok(WorkerPlanRewriteEventResponse::new(guard(plan, &span)?))
        })
        .build();
    engine.register_functions(&mut state)?;
    for function in tithe_udfs::hidden_aggregates() {
        state.register_udaf(function)?;
    }
    Ok(state)
}
