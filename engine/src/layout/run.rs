//! A session's way to lay out a table.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::row::{RowConverter, SortField};
use chrono::Utc;
use futures::TryStreamExt;
use object_store::path::Path;
use serde_json::json;

use crate::catalog::{Lake, Listing, Replacement, TableFormat};
use crate::change::check_may_lay_out;
use crate::error::{EngineError, Result, did_you_mean};
use crate::job::{JobOutcome, RECORDS};
use crate::layout::choose_key::{Chosen, asked_for, choose};
use crate::layout::lease::{Turn, log};
use crate::layout::observed::{Observed, observe};
use crate::layout::options::{LayoutOptions, LayoutOrder};
use crate::layout::report::{LayoutProgress, LayoutReport, LayoutTotals, QueryGain};
use crate::layout::rewrite::{NewFile, Order, Rewrite};
use crate::layout::sample::{first, in_order, sample};
use crate::layout::skipped::Groups;
use crate::layout::source::{Source, sources};
use crate::layout::switch::Switch;
use crate::layout::together::together;
use crate::layout::trial::Forms;
use crate::layout::z_order::MOST_COLUMNS;
use crate::plan::sql_literal::identifier as quoted;
use crate::session::Session;
use crate::write::{TableFolder, WriteStore, remove_replaced};

/// Rises whenever the same options come to other files.
const VERSION: u32 = 2;
/// An observed query is measured so often; the fastest counts.
const RUNS: usize = 3;

impl Session {
    /// Writes the Parquet files of `schema.table` anew, each folder by itself: in another order, of another size, encoded
    /// as a trial on its rows suggests. The rows, their types and their number stay the same. Readers see the old files
    /// of a folder or the new ones; rows that others add meanwhile are kept. Called again after it was killed, it goes on
    /// with the folders that are left.
    ///
    /// # Errors
    /// When the principal may not write or does not see the whole table; it is none of Parquet files, has no rows, is the
    /// output of a job, or is laid out or replaced by others at the same time; the options name unknown columns or
    /// queries on other tables; the memory for queries has no room for a file, or the store refuses.
    pub async fn optimize(
        &self,
        schema: &str,
        table: &str,
        options: &LayoutOptions,
        progress: &dyn LayoutProgress,
    ) -> Result<LayoutReport> {
        let name = format!("{schema}.{table}");
        if self.options.read_only && !self.options.writes_lake {
            return Err(EngineError::ReadOnly { what: format!("laying out {name}") });
        }
        let columns = self.table_schema(schema, table).await?;
        let Some(lake) = &self.engine.lake else {
            return Err(EngineError::Unknown { what: "table", name, hint: "; no lake is open".to_owned() });
        };
        check_may_lay_out(self.authority.as_ref(), schema, table, &columns, "laying out")?;
        let layout = Layout {
            session: self,
            lake,
            schema,
            table,
            folder: TableFolder::new(lake.root(), schema, table)?.path().clone(),
            quoted: format!("{}.{}", quoted(schema), quoted(table)),
            name,
            options,
        };
        let listing = layout.listing().await?;
        layout.check_no_job().await?;
        layout.order(&listing).await?;
        if options.dry_run {
            return layout.run(None, progress).await;
        }
        let records = log(WriteStore::of(lake), &layout.folder, &layout.name);
        let turn = Turn::take(records, &layout.folder, &layout.name).await?;
        // A job that began before the turn was taken is found now; one that begins later finds the turn taken.
        let result = match layout.check_no_job().await {
            Ok(()) => layout.run(Some(&turn), progress).await,
            Err(error) => Err(error),
        };
        let ended = turn.end(if result.is_ok() { JobOutcome::Done } else { JobOutcome::Failed }).await;
        let report = result?;
        ended.map(|()| report)
    }
}

struct Layout<'a> {
    session: &'a Session,
    lake: &'a Arc<Lake>,
    schema: &'a str,
    table: &'a str,
    folder: Path,
    /// As SQL writes it.
    quoted: String,
    /// `schema.table`.
    name: String,
    options: &'a LayoutOptions,
}

/// What is done to every partition.
struct Plan {
    order: Order,
    because: String,
    bloom_filters: BTreeSet<String>,
    observed: Vec<Observed>,
    not_understood: usize,
}

impl Layout<'_> {
    async fn run(&self, turn: Option<&Turn>, progress: &dyn LayoutProgress) -> Result<LayoutReport> {
        let listing = self.listing().await?;
        let shape = self.lake.shape(self.schema, self.table, &listing).await?;
        let found = sources(self.lake, &self.folder, &listing, &shape.file_schema).await?;
        let rows = found.iter().map(Source::rows).sum();
        if rows == 0 {
            return Err(self.refuse("it has no rows, and there is nothing to lay out"));
        }
        let plan = self.plan(&listing, &found, rows).await?;
        let mark = self.mark(&plan);
        let columns = self.session.table_schema(self.schema, self.table).await?;
        let within = shape.file_schema.fields().len();
        let groups = |files| Groups { files, columns: Arc::clone(&columns), within };
        let of_source = |source: &Source| {
            source
                .footers
                .iter()
                .map(|footer| (Arc::clone(footer), source.values.clone()))
                .collect::<Vec<_>>()
        };
        let before = groups(found.iter().flat_map(of_source).collect());
        let mut after = groups(Vec::new());
        let mut report = LayoutReport {
            order: plan.order.told(),
            because: plan.because.clone(),
            partitions: found.len(),
            rows,
            not_understood: plan.not_understood,
            ..LayoutReport::default()
        };
        let (there, mut left): (Vec<&Source>, Vec<&Source>) = found
            .iter()
            .partition(|source| source.rows() == 0 || (!self.options.force && source.is_laid_out(&mark)));
        // The largest first, for its sample tells most.
        left.sort_by(|a, b| {
            b.totals().bytes.cmp(&a.totals().bytes).then_with(|| a.partition.cmp(&b.partition))
        });
        report.there = there.len();
        progress.begins(found.len(), there.len());
        for source in there {
            add(&mut report.before, source.totals());
            add(&mut report.after, source.totals());
            after.files.extend(of_source(source));
        }
        let measured = self.measure(&plan.observed, !left.is_empty()).await?;
        let mut forms = None;
        for source in left {
            let files = self.one(source, &plan, &mark, &mut forms, turn).await?;
            add(&mut report.before, source.totals());
            for NewFile { footer, bytes } in files {
                add(&mut report.after, LayoutTotals { files: 1, row_groups: footer.num_row_groups(), bytes });
                after.files.push((footer, source.values.clone()));
            }
            progress.done(&source.partition, source.rows());
        }
        report.columns = forms.map(|forms| forms.told()).unwrap_or_default();
        let again = turn.is_some() && !report.columns.is_empty();
        let measured_after = self.measure(&plan.observed, again).await?;
        let state = self.session.context.state();
        for (place, query) in plan.observed.iter().enumerate() {
            let looked_at = |groups: &Groups| {
                let all = query.scans.iter().map(|conditions| groups.looked_at(conditions, &state)).sum();
                (all, groups.count() * query.scans.len())
            };
            let took = measured.get(place).map(|before| (*before, measured_after.get(place).copied()));
            report.queries.push(QueryGain {
                sql: query.sql.clone(),
                times: query.times,
                before: looked_at(&before),
                after: looked_at(&after),
                measured: took,
            });
        }
        if let Some(turn) = turn {
            self.remove_old(turn, progress).await?;
        }
        Ok(report)
    }

    /// Writes the files of one partition, and puts them in force.
    async fn one(
        &self,
        source: &Source,
        plan: &Plan,
        mark: &str,
        forms: &mut Option<Forms>,
        turn: Option<&Turn>,
    ) -> Result<Vec<NewFile>> {
        let rewrite = Rewrite {
            session: self.session,
            table: &self.name,
            quoted_table: &self.quoted,
            order: &plan.order,
            mark,
            target_file_size: self.options.target_file_size,
            row_group_rows: self.options.row_group_rows.max(1),
            bloom_filters: &plan.bloom_filters,
        };
        let names = source.names(self.lake);
        let Some(turn) = turn else {
            return rewrite.write(source, &names, forms, async |_number, _file| Ok(())).await;
        };
        let switch = Switch { turn, folder: &self.folder, table: &self.name };
        let staged = switch.stage(&source.partition).await?;
        let mut put = Vec::new();
        let written = rewrite.write(source, &names, forms, async |number, file| {
            put.push(switch.put(&staged, number, file).await?);
            Ok(())
        });
        let written = match written.await {
            Ok(written) => switch.switch(&staged, &source.files, put.clone()).await.map(|()| written),
            Err(error) => Err(error),
        };
        if written.is_err()
            && let Err(error) = switch.withdraw(&staged, &put).await
        {
            tracing::warn!(table = self.name, %error, "files that are not in force stay until the next layout");
        }
        written
    }

    /// Removes the files whose place was taken, also in a run before that was killed, when queries have had time to end.
    async fn remove_old(&self, turn: &Turn, progress: &dyn LayoutProgress) -> Result<()> {
        let store = turn.log.store();
        let objects = store.objects().list_with_delimiter(Some(&self.folder)).await?.objects;
        let notes = objects.iter().filter(|meta| meta.location.filename().is_some_and(Replacement::is_note));
        let Some(last) = notes.map(|meta| meta.last_modified).max() else { return Ok(()) };
        let rest = match (Utc::now() - last).to_std() {
            Ok(passed) => self.options.grace.saturating_sub(passed),
            Err(_in_the_future) => self.options.grace,
        };
        if !rest.is_zero() {
            progress.waits(rest);
            tokio::time::sleep(rest).await;
        }
        turn.recorder.confirm().await?;
        remove_replaced(store, &self.folder).await
    }

    async fn listing(&self) -> Result<Arc<Listing>> {
        let refuse = |reason: &str| EngineError::NotAllowed {
            what: format!("laying out {}", self.name),
            reason: reason.to_owned(),
        };
        match self.lake.listing(self.schema, self.table).await? {
            Some(listing) if listing.format == TableFormat::Parquet => Ok(listing),
            Some(_) => Err(refuse(
                "its files are raw ones as they were delivered; make a table of them with CREATE TABLE … AS SELECT, \
                 and lay that out",
            )),
            None => Err(refuse("it is no table of the lake")),
        }
    }

    /// A job knows the files that it wrote by their names, and would write them again.
    async fn check_no_job(&self) -> Result<()> {
        let records = self.folder.clone().join(RECORDS);
        let jobs = self.lake.store().list_with_delimiter(Some(&records)).await?.common_prefixes;
        match jobs.first().and_then(|path| path.filename()) {
            None => Ok(()),
            Some(job) => Err(EngineError::NotAllowed {
                what: format!("laying out {}", self.name),
                reason: format!(
                    "it is the output of the job {job}, which would miss its files: lay out a copy, made with CREATE \
                     TABLE … AS SELECT"
                ),
            }),
        }
    }

    /// The columns within the files that rows can be sorted by.
    fn sortable(columns: &Schema) -> Vec<String> {
        let has_order = |field: &&Arc<Field>| {
            !matches!(field.data_type(), DataType::Null)
                && RowConverter::supports_fields(&[SortField::new(field.data_type().clone())])
        };
        columns.fields().iter().filter(has_order).map(|field| field.name().clone()).collect()
    }

    /// The order that is given, if it can be.
    async fn order(&self, listing: &Arc<Listing>) -> Result<Option<Order>> {
        let shape = self.lake.shape(self.schema, self.table, listing).await?;
        let (order, named) = match &self.options.order {
            LayoutOrder::Observed => (None, &Vec::new()),
            LayoutOrder::Columns(named) => (Some(Order::Columns(named.clone())), named),
            LayoutOrder::WithinRowGroups(named) => (Some(Order::WithinRowGroups(named.clone())), named),
            LayoutOrder::ZOrder(named) => (Some(Order::ZOrder(named.clone())), named),
        };
        let sortable = Self::sortable(&shape.file_schema);
        let mut seen = BTreeSet::new();
        for column in named.iter().chain(&self.options.bloom_filters) {
            if listing.partition_columns.contains(column) {
                return Err(self.refuse(&format!(
                    "its folders are those of {column} already, and within one all rows have the same: leave {column} out"
                )));
            }
            let known = shape.file_schema.fields().iter().map(|field| field.name().as_str());
            if shape.file_schema.field_with_name(column).is_err() {
                let all = known.clone().collect::<Vec<_>>().join(", ");
                let hint = did_you_mean(column, known, &format!("; {} has {all}", self.name));
                return Err(EngineError::Unknown { what: "column", name: column.clone(), hint });
            }
            if !sortable.contains(column) {
                return Err(self.refuse(&format!("values of {column} have no order: leave it out")));
            }
        }
        for column in named {
            if !seen.insert(column) {
                return Err(self.refuse(&format!("{column} is named twice: name it once")));
            }
        }
        if matches!(order, Some(Order::ZOrder(_))) && !(2..=MOST_COLUMNS).contains(&named.len()) {
            return Err(self.refuse(&format!(
                "a Z-order takes 2 to {MOST_COLUMNS} columns, not {}: sort by one, or name those that are filtered by most",
                named.len()
            )));
        }
        Ok(order)
    }

    async fn plan(&self, listing: &Arc<Listing>, found: &[Source], rows: u64) -> Result<Plan> {
        let shape = self.lake.shape(self.schema, self.table, listing).await?;
        let given = self.order(listing).await?;
        let (observed, not_understood) =
            observe(self.session, &self.options.queries, self.schema, self.table).await?;
        let sortable = Self::sortable(&shape.file_schema);
        let asked = asked_for(&observed, &sortable);
        let chosen = match asked.is_empty() {
            true => Chosen::default(),
            false => {
                let names: Vec<String> = found.iter().flat_map(|source| source.names(self.lake)).collect();
                let session = in_order(self.session, &self.name, &names)?;
                let sample: RecordBatch = sample(&session, &self.quoted, &asked, rows).await?;
                let largest = found.iter().max_by_key(|source| source.rows());
                let names = largest.map(|source| source.names(self.lake)).unwrap_or_default();
                let session = in_order(self.session, &self.name, &names)?;
                let together = together(&first(&session, &self.quoted, &asked).await?, &sample);
                choose(&observed, &sortable, &sample, &together, &self.session.context.state())
            }
        };
        let (order, because) = match given {
            Some(order) => (order, String::new()),
            None if chosen.columns.is_empty() => (Order::AsTheyLie, String::new()),
            None if chosen.within_row_groups => (Order::WithinRowGroups(chosen.columns), chosen.because),
            None => (Order::Columns(chosen.columns), chosen.because),
        };
        let mut bloom_filters = chosen.equality;
        bloom_filters.extend(self.options.bloom_filters.iter().cloned());
        // Where rows are sorted by a column first, its statistics tell more.
        if let Order::Columns(columns) = &order
            && let Some(first) = columns.first()
        {
            bloom_filters.remove(first);
        }
        Ok(Plan { order, because, bloom_filters, observed, not_understood })
    }

    /// What files say that are laid out so.
    fn mark(&self, plan: &Plan) -> String {
        let order = match &plan.order {
            Order::AsTheyLie => json!("as they lie"),
            Order::Columns(columns) => json!({ "columns": columns }),
            Order::WithinRowGroups(columns) => json!({ "within_row_groups": columns }),
            Order::ZOrder(columns) => json!({ "z_order": columns }),
        };
        json!({
            "version": VERSION,
            "order": order,
            "bloom_filters": plan.bloom_filters,
            "target_file_size": self.options.target_file_size,
            "row_group_rows": self.options.row_group_rows,
        })
        .to_string()
    }

    /// How long each query takes; nothing where that is not asked for.
    async fn measure(&self, observed: &[Observed], again: bool) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        if !self.options.measure || !again {
            return Ok(times);
        }
        for query in observed {
            let mut least = Duration::MAX;
            for _ in 0..RUNS {
                let began = Instant::now();
                let mut rows = self.session.query(&query.sql).await?.execute().await?;
                while rows.try_next().await?.is_some() {}
                least = least.min(began.elapsed());
            }
            times.push(least);
        }
        Ok(times)
    }

    fn refuse(&self, reason: &str) -> EngineError {
        EngineError::Write { table: self.name.clone(), reason: reason.to_owned() }
    }
}

fn add(totals: &mut LayoutTotals, more: LayoutTotals) {
    totals.files += more.files;
    totals.row_groups += more.row_groups;
    totals.bytes += more.bytes;
}
