//! One lake, one session in this process and one on each cluster.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::pretty::pretty_format_batches;
use tithe_engine::{Principal, Session};
use tithe_testkit::{TestWorker, coordinator, open, options_for, sample_lake, workers};

/// Sizes of the clusters.
const SIZES: [usize; 3] = [1, 2, 5];

/// A session in this process, and one on each cluster.
pub(crate) struct Oracle {
    embedded: Session,
    clusters: Vec<(usize, Session)>,
    /// They end with this.
    _workers: Vec<Vec<TestWorker>>,
}

/// What a query gave and where.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Queries whose plan for some cluster had stages.
    pub(crate) distributed: usize,
    /// What gave an error everywhere.
    pub(crate) failed: Vec<String>,
    /// What differed.
    pub(crate) different: Vec<String>,
}

impl Oracle {
    /// On the sample lake.
    pub(crate) async fn start() -> Self {
        Self::on(&sample_lake()).await
    }

    /// On a lake in a directory.
    pub(crate) async fn on(lake: &Path) -> Self {
        let (mut clusters, mut all) = (Vec::new(), Vec::new());
        for size in SIZES {
            let started = workers(lake, size).await;
            let engine = coordinator(options_for(lake), &started).await;
            clusters.push((size, engine.session(Principal::local()).expect("a session")));
            all.push(started);
        }
        Self { embedded: open(lake).await, clusters, _workers: all }
    }

    /// Looks up tables without a schema in `schema`.
    pub(crate) async fn use_schema(&self, schema: &str) {
        let sql = format!("SET datafusion.catalog.default_schema = '{schema}'");
        for session in self.clusters.iter().map(|(_size, session)| session).chain([&self.embedded]) {
            session.query(&sql).await.expect("a setting").collect().await.expect("a setting that is made");
        }
    }

    /// Asks everywhere what `query` makes up from each of the first `seeds` numbers, and whether it orders its rows in
    /// full.
    ///
    /// # Panics
    /// When an answer differs.
    pub(crate) async fn compare_made_up(
        &self,
        seeds: u64,
        query: impl Fn(u64) -> (String, bool),
    ) -> Compared {
        let mut compared = Compared::default();
        for seed in 0..seeds {
            let (sql, ordered) = query(seed);
            self.compare(&format!("seed {seed}"), &sql, ordered, &mut compared).await;
        }
        assert!(compared.different.is_empty(), "{}", compared.different.join("\n"));
        compared
    }

    /// Asks everywhere; `ordered` says that the query orders its rows in full.
    pub(crate) async fn compare(&self, name: &str, sql: &str, ordered: bool, compared: &mut Compared) {
        let expected = answer(&self.embedded, sql, ordered).await;
        if expected.starts_with("error: ") {
            compared.failed.push(format!("{name}: {expected}\n{sql}"));
        }
        let mut distributed = false;
        for (size, session) in &self.clusters {
            distributed = distributed || is_distributed(session, sql).await;
            let given = answer(session, sql, ordered).await;
            if given != expected {
                compared.different.push(format!(
                    "{name} on {size} workers:\n{sql}\n--- in this process:\n{}\n--- on the workers:\n{}\n",
                    first_difference(&expected, &given),
                    first_difference(&given, &expected),
                ));
            }
        }
        compared.distributed += usize::from(distributed);
    }
}

async fn is_distributed(session: &Session, sql: &str) -> bool {
    let Ok(plan) = session.query(&format!("EXPLAIN FORMAT INDENT {sql}")).await else { return false };
    let Ok(rows) = plan.collect().await else { return false };
    pretty_format_batches(&rows).expect("text").to_string().contains("workers: ")
}

/// The rows as text in which every value is written in full, sorted where no order is promised; or the error.
async fn answer(session: &Session, sql: &str, ordered: bool) -> String {
    let query = match session.query(sql).await {
        Ok(query) => query,
        Err(error) => return format!("error: {error}"),
    };
    let schema = query.schema();
    let rows: Vec<RecordBatch> = match query.collect().await {
        Ok(rows) => rows,
        Err(error) => return format!("error: {error}"),
    };
    let rows = concat_batches(&schema, &rows).expect("batches of one schema");
    let text = pretty_format_batches(&[rows]).expect("values as text").to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    if !ordered {
        lines.sort_unstable();
    }
    format!("{schema:?}\n{}", lines.join("\n"))
}

fn first_difference<'a>(text: &'a str, other: &str) -> String {
    let mut lines: Vec<&'a str> =
        text.lines().zip(other.lines()).filter(|(line, other)| line != other).map(|(line, _)| line).collect();
    lines.truncate(6);
    format!("{} lines, first different:\n{}", text.lines().count(), lines.join("\n"))
}
