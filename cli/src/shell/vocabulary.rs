//! The names that the shell can complete.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use tithe_engine::Session;
use tokio::runtime::Handle;

/// Words of SQL that are worth completing.
pub(crate) const KEYWORDS: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COPY",
    "COUNT",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT ROW",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL TABLE",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "FUNCTIONS",
    "GROUP BY",
    "GROUPING SETS",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OUTER",
    "OVER",
    "PARTITION BY",
    "PRECEDING",
    "QUALIFY",
    "RECURSIVE",
    "RIGHT",
    "ROLLUP",
    "ROWS",
    "SELECT",
    "SET",
    "SHOW",
    "STORED AS",
    "TABLE",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Names, looked up when first needed.
pub(crate) struct Vocabulary {
    runtime: Handle,
    session: Session,
    functions: Option<Vec<String>>,
    /// Schemas and their tables.
    tables: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Columns by schema and table.
    columns: BTreeMap<(String, String), Vec<String>>,
}

impl Vocabulary {
    pub(crate) fn new(runtime: &Handle, session: &Session) -> Self {
        Self {
            runtime: runtime.clone(),
            session: session.clone(),
            functions: None,
            tables: None,
            columns: BTreeMap::new(),
        }
    }

    /// Every function of a session.
    pub(crate) fn functions(&mut self) -> &[String] {
        let (runtime, session) = (&self.runtime, &self.session);
        self.functions.get_or_insert_with(|| {
            let mut names: BTreeSet<String> =
                tithe_udfs::functions().iter().map(|entry| entry.doc.name.to_owned()).collect();
            names.extend(runtime.block_on(routines(session)).unwrap_or_default());
            names.into_iter().collect()
        })
    }

    /// Every schema and its tables.
    pub(crate) fn tables(&mut self) -> &BTreeMap<String, BTreeSet<String>> {
        let (runtime, session) = (&self.runtime, &self.session);
        self.tables.get_or_insert_with(|| {
            let mut schemas = BTreeMap::<String, BTreeSet<String>>::new();
            for info in runtime.block_on(session.tables()).unwrap_or_default() {
                schemas.entry(info.schema).or_default().insert(info.table);
            }
            schemas
        })
    }

    /// The columns of one table; none when it cannot be read.
    pub(crate) fn columns(&mut self, schema: &str, table: &str) -> &[String] {
        let (runtime, session) = (&self.runtime, &self.session);
        self.columns.entry((schema.to_owned(), table.to_owned())).or_insert_with(|| {
            match runtime.block_on(session.table_schema(schema, table)) {
                Ok(schema) => schema.fields().iter().map(|field| field.name().clone()).collect(),
                Err(_unreadable) => Vec::new(),
            }
        })
    }

    /// Looks the tables up again when next needed: a statement may have made one.
    pub(crate) fn forget_tables(&mut self) {
        self.tables = None;
        self.columns.clear();
    }
}

async fn routines(session: &Session) -> tithe_engine::Result<Vec<String>> {
    let query =
        session.query("SELECT DISTINCT routine_name AS name FROM information_schema.routines").await?;
    let batches: Vec<_> = query.execute().await?.try_collect().await?;
    let options = arrow::util::display::FormatOptions::default();
    let mut names = Vec::new();
    for batch in &batches {
        for column in batch.columns() {
            if let Ok(values) = arrow::util::display::ArrayFormatter::try_new(column, &options) {
                names.extend((0..batch.num_rows()).map(|row| values.value(row).to_string()));
            }
        }
    }
    Ok(names)
}
