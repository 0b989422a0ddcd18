//! The only place where a session is built.

use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use prometheus_client::registry::Registry;
use tithe_udfs::PseudonymKey;

use crate::audit::AuditLog;
use crate::catalog::{CATALOG, Lake, LakeCatalog, LakeLocation, OWN_SCHEMA, OnlyFiles};
use crate::cluster::{Cluster, Fingerprint};
use crate::error::{EngineError, Result};
use crate::execute::{
    QueryMetrics, SpillFolder, default_memory_limit, follow_spawned_work, footers_kept, memory_pool,
    merge_reserve, merged_files,
};
use crate::optimize::{
    AggregateBeforeJoin, CompactTexts, DistinctByGroups, DistinctTexts, FirstOfGroups, FolderJoins,
    LargeJoins, LateColumns, RepeatedText, RunningWindows, SharedSubplans, TextCodes, WholeWindows,
    share_small_sides,
};
use crate::options::{EngineOptions, SessionOptions};
use crate::plan::TimesOfDay;
use crate::policy::{Authority, Governance, PolicyStore, Principal, PushHarmlessFilters, TithePlanner};
use crate::result_cache::ResultCache;
use crate::rollup::AnswerFromRollups;
use crate::session::Session;
use crate::settings::Settings;

/// A lake, its stores, its limits: shared by all sessions of a process.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    pub(crate) runtime: Arc<RuntimeEnv>,
    pub(crate) text_codes: Arc<TextCodes>,
    pub(crate) memory_limit: usize,
    spill: Option<Arc<SpillFolder>>,
    settings: Settings,
    pub(crate) lake: Option<Arc<Lake>>,
    pub(crate) policy: Option<Governance>,
    pseudonym_key: Option<Arc<PseudonymKey>>,
    pub(crate) audit: Option<Arc<AuditLog>>,
    pub(crate) metrics: QueryMetrics,
    pub(crate) results: Option<Arc<ResultCache>>,
    pub(crate) cluster: Option<Arc<Cluster>>,
}

impl Engine {
    /// Opens the lake and prepares the shared runtime.
    ///
    /// # Errors
    /// When the lake does not exist or cannot be reached, a limit is impossible, or the policy is not understood.
    pub async fn open(options: EngineOptions) -> Result<Arc<Self>> {
        if options.target_partitions == Some(0) {
            return Err(EngineError::Configuration {
                origin: "limits.target_partitions".to_owned(),
                reason: "0 partitions cannot run a query, take at least 1".to_owned(),
            });
        }
        follow_spawned_work();
        let memory = options.memory_limit.unwrap_or_else(default_memory_limit);
        let partitions =
            options.target_partitions.unwrap_or_else(|| SessionConfig::new().target_partitions());
        let (footers, ranges) = footers_kept(memory);
        // DataFusion would remember which files a directory holds, and miss those that come later.
        let mut runtime = RuntimeEnvBuilder::new()
            .with_object_list_cache_limit(0)
            .with_metadata_cache_limit(footers)
            .with_file_statistics_cache_limit(ranges)
            .with_memory_pool(memory_pool(memory, partitions));
        let spill = match SpillFolder::open(&std::env::temp_dir()) {
            Ok(folder) => {
                let within = DiskManagerMode::Directories(vec![folder.path().to_path_buf()]);
                let disk = DiskManagerBuilder::default().with_mode(within);
                runtime =
                    runtime.with_disk_manager_builder(disk.with_max_spill_merge_fan_in(merged_files(memory)));
                Some(Arc::new(folder))
            }
            // Whoever spills will be told; most queries never do.
            Err(error) => {
                tracing::warn!("there is no folder for what does not fit into memory: {error}");
                None
            }
        };
        let runtime = runtime.build_arc()?;
        let settings = Settings { skip_bad_lines: options.skip_bad_lines, ..Settings::from_environment()? };
        let lake = match &options.lake {
            Some(location) => {
                let mut state = state(SessionConfig::new(), &runtime, None);
                register_functions(&mut state, None)?;
                Some(Arc::new(Lake::open(location, state).await?))
            }
            None => None,
        };
        let pseudonym_key = match &options.pseudonym_key_file {
            Some(path) => {
                Some(Arc::new(PseudonymKey::read(path).map_err(|error| EngineError::Configuration {
                    origin: "pseudonym_key_file".to_owned(),
                    reason: error.to_string(),
                })?))
            }
            None => None,
        };
        let policy = match &options.policy {
            Some(path) => {
                let mut functions = state(SessionConfig::new(), &runtime, None);
                register_functions(&mut functions, pseudonym_key.as_ref())?;
                let store = Arc::new(PolicyStore::open(path)?);
                Some(Governance { store, functions: Arc::new(functions) })
            }
            None => None,
        };
        let audit = options.audit.as_deref().map(AuditLog::open).transpose()?.map(Arc::new);
        let cluster = match &options.cluster {
            Some(cluster) => {
                let own = fingerprint(&runtime, lake.as_deref(), pseudonym_key.as_ref())?;
                Some(Cluster::open(cluster.clone(), own).await?)
            }
            None => None,
        };
        let results = options.result_cache.filter(|bytes| *bytes > 0);
        let results =
            results.map(|bytes| Arc::new(ResultCache::new(bytes, Arc::clone(&runtime.memory_pool))));
        let text_codes = Arc::new(TextCodes::new(runtime.cache_manager.get_file_metadata_cache()));
        Ok(Arc::new(Self {
            options,
            runtime,
            text_codes,
            memory_limit: memory,
            spill,
            settings,
            lake,
            policy,
            pseudonym_key,
            audit,
            metrics: QueryMetrics::default(),
            results,
            cluster,
        }))
    }

    /// Where the tables are.
    #[must_use]
    pub fn lake(&self) -> Option<&LakeLocation> {
        self.lake.as_deref().map(Lake::location)
    }

    /// Adds what the queries of all sessions have done so far to `registry`: counts, durations, rows and memory, and
    /// never who or what.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry, &self.runtime.memory_pool);
        if let Some(cluster) = &self.cluster {
            cluster.register_metrics(registry);
        }
        if let Some(results) = &self.results {
            results.register_metrics(registry);
        }
    }

    /// The workers that may be used now; none without a cluster.
    #[must_use]
    pub fn workers(&self) -> Vec<String> {
        let members = self.cluster.as_ref().map(|cluster| cluster.members()).unwrap_or_default();
        members.into_iter().map(|member| member.shown).collect()
    }

    /// Why workers are not used, one sentence each.
    #[must_use]
    pub fn worker_problems(&self) -> Vec<String> {
        self.cluster.as_ref().map(|cluster| cluster.problems()).unwrap_or_default()
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// Gives a worker's session the functions of this one's.
    ///
    /// # Errors
    /// When one is refused.
    pub(crate) fn register_functions(&self, state: &mut SessionState) -> Result<()> {
        // Nobody asks a worker by name: the masks of a plan that was permitted may need the key.
        register_functions(state, self.pseudonym_key.as_ref())
    }

    /// What a node must have in common with this one to give the same answers.
    ///
    /// # Errors
    /// When a function cannot be registered.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        fingerprint(&self.runtime, self.lake.as_deref(), self.pseudonym_key.as_ref())
    }

    /// What queries and writers may hold together.
    pub(crate) fn memory_pool(&self) -> &Arc<dyn MemoryPool> {
        &self.runtime.memory_pool
    }

    /// Asks the lake for a sign of life.
    ///
    /// # Errors
    /// When it is gone, or its store does not answer.
    pub async fn reach(&self) -> Result<()> {
        match &self.lake {
            Some(lake) => lake.reach().await,
            None => Ok(()),
        }
    }

    /// A session of one principal: own temporary tables and settings, shared lake and limits.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub fn session(self: &Arc<Self>, principal: Principal) -> Result<Session> {
        self.session_with(principal, SessionOptions::default())
    }

    /// A session of one principal that may do what `options` say.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub fn session_with(self: &Arc<Self>, principal: Principal, options: SessionOptions) -> Result<Session> {
        self.build(principal, options, None)
    }

    pub(crate) fn build(
        self: &Arc<Self>,
        principal: Principal,
        options: SessionOptions,
        only: Option<OnlyFiles>,
    ) -> Result<Session> {
        // The catalog has its own information schema, in which one broken table does not hide the others.
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, OWN_SCHEMA)
            .with_information_schema(false)
            .with_create_default_catalog_and_schema(true)
            .with_option_extension(self.settings.clone());
        // DataFusion 55.2 loses the table's name of a struct's field that is part of a join key (apache/datafusion#22895
        // and its kin), and the query fails; no reader of ours decodes less for knowing the field.
        config.options_mut().optimizer.enable_leaf_expression_pushdown = false;
        if let Some(folder) = &self.spill {
            // A query that runs needs it, whether or not the engine is still there.
            config.set_extension(Arc::clone(folder));
        }
        if let Some(partitions) = self.options.target_partitions {
            config = config.with_target_partitions(partitions);
        }
        let partitions = config.target_partitions();
        config.options_mut().execution.sort_spill_reservation_bytes =
            merge_reserve(self.memory_limit, partitions);
        share_small_sides(&mut config.options_mut().optimizer, partitions, self.memory_limit);
        let mut state = state(config, &self.runtime, Some(&self.text_codes));
        // Who may see pseudonyms must not make them: trying every identifier would tell which is whose.
        let key = self.pseudonym_key.as_ref().filter(|_| self.policy.is_none());
        register_functions(&mut state, key)?;
        let authority = self.policy.as_ref().map(|governance| {
            let Governance { store, functions } = governance.clone();
            Authority::new(store, principal.clone(), functions)
        });
        // What changes something reaches past the tables: files, names that others use. Tables have privileges.
        let options = SessionOptions {
            read_only: options.read_only || authority.is_some(),
            writes_lake: options.writes_lake || (authority.is_some() && !options.read_only),
        };
        // Without a policy nobody is known to be an auditor, but for whoever sits at this machine.
        let audit = self.audit_table().filter(|_| authority.is_some() || principal == Principal::local());
        let catalog = LakeCatalog::new(
            self.lake.clone(),
            audit,
            state.table_functions().clone(),
            authority.clone(),
            only,
        );
        let context = SessionContext::new_with_state(state);
        // Of the sort keys `k, step` over the rows that UNNEST makes of the groups of `k`, this rule drops `step`: to
        // DataFusion `k` still tells everything else.
        context.remove_optimizer_rule("eliminate_duplicated_expr");
        context.register_catalog(CATALOG, Arc::new(catalog.clone()));
        let limits = self.options.limits_of(&principal.name);
        Ok(Session {
            context,
            catalog,
            engine: Arc::clone(self),
            principal,
            options,
            authority,
            limits,
            query_id: None,
        })
    }
}

fn register_functions(state: &mut SessionState, key: Option<&Arc<PseudonymKey>>) -> Result<()> {
    tithe_udfs::register_all(state)?;
    if let Some(key) = key {
        tithe_udfs::register_pseudonym(state, Arc::clone(key))?;
    }
    Ok(())
}

fn state(
    config: SessionConfig,
    runtime: &Arc<RuntimeEnv>,
    text_codes: Option<&Arc<TextCodes>>,
) -> SessionState {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where sessions are built")]
    let builder = SessionStateBuilder::new();
    let builder = builder
        .with_config(config)
        .with_runtime_env(Arc::clone(runtime))
        .with_default_features()
        .with_physical_optimizer_rules(physical_rules(&runtime.memory_pool.memory_limit()))
        .with_query_planner(Arc::new(TithePlanner))
        .with_type_planner(Arc::new(TimesOfDay))
        .with_optimizer_rules(optimizer_rules());
    let builder = match text_codes {
        Some(rule) => builder.with_physical_optimizer_rule(Arc::clone(rule) as Arc<_>),
        None => builder,
    };
    builder
        .with_physical_optimizer_rule(Arc::new(DistinctTexts))
        .with_physical_optimizer_rule(Arc::new(RepeatedText))
        .with_physical_optimizer_rule(Arc::new(CompactTexts))
        .with_physical_optimizer_rule(Arc::new(LateColumns))
        .build()
}

/// DataFusion's rules and our own, each where it finds what it looks for.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    // A rollup is found below conditions that have not been moved into the scans of its table.
    let moves = rules.iter().position(|rule| rule.name() == "push_down_limit").unwrap_or(rules.len());
    rules.insert(moves, Arc::new(AnswerFromRollups));
    // Conditions lie in the scans by then, and columns that nobody needs are still to be left out.
    let tidies = rules.iter().position(|rule| rule.name() == "eliminate_group_by_constant");
    let tidies = tidies.unwrap_or(rules.len());
    rules.insert(tidies, Arc::new(DistinctByGroups));
    rules.insert(tidies, Arc::new(AggregateBeforeJoin));
    rules.push(Arc::new(PushHarmlessFilters));
    rules
}

/// DataFusion's, and of ours those that must come before or after some of them.
fn physical_rules(memory: &MemoryLimit) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let sorts = EnsureRequirements::new();
    let placed = rules.iter().position(|rule| rule.name() == sorts.name());
    if let Some(placed) = placed {
        rules.insert(placed + 1, Arc::new(WholeWindows));
        rules.insert(placed, Arc::new(LargeJoins::within(memory)));
    }
    let dynamic_filters = FilterPushdown::new_post_optimization();
    let given = rules.iter().position(|rule| rule.name() == dynamic_filters.name());
    if let Some(given) = given {
        rules.insert(given, Arc::new(SharedSubplans));
        // It makes operators that the one before it does not know as equal.
        rules.insert(given + 1, Arc::new(FolderJoins));
    }
    rules.push(Arc::new(FirstOfGroups));
    rules.push(Arc::new(RunningWindows));
    rules
}

fn fingerprint(
    runtime: &Arc<RuntimeEnv>,
    lake: Option<&Lake>,
    key: Option<&Arc<PseudonymKey>>,
) -> Result<Fingerprint> {
    let mut functions = state(SessionConfig::new(), runtime, None);
    register_functions(&mut functions, key)?;
    let lake = lake.map(|lake| lake.location().url().to_string());
    Ok(Fingerprint::of(&functions, lake, key.map(|key| key.id())))
}
