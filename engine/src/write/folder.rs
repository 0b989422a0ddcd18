//! Where a table's files lie.

use object_store::path::Path;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::{EngineError, Result};

/// What Hive, Spark and DuckDB write as `%XX` in the name of a partition's folder.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'*')
    .add(b'/')
    .add(b':')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'~');

/// The folder of one table of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableFolder {
    schema: String,
    table: String,
    path: Path,
}

impl TableFolder {
    /// The folder of `schema.table` below `root`, whether it exists or not.
    ///
    /// # Errors
    /// When a name would not be seen as a table: it is empty, begins with `.` or `_`, or has a character that names of
    /// folders do not have everywhere.
    pub(crate) fn new(root: &Path, schema: &str, table: &str) -> Result<Self> {
        for name in [schema, table] {
            let plain = name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
            if name.is_empty() || name.starts_with(['.', '_']) || !plain {
                return Err(EngineError::Write {
                    table: format!("{schema}.{table}"),
                    reason: format!(
                        "{name:?} names no folder of a lake: take letters, digits, _ and -, and begin with a \
                         letter or digit"
                    ),
                });
            }
        }
        let path = root.clone().join(schema).join(table);
        Ok(Self { schema: schema.to_owned(), table: table.to_owned(), path })
    }

    /// The schema.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The name within the schema.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// `schema.table`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// The table's folder in the store.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of a partition: `column=value` for each of `values`, escaped as Hive does; the table's own folder
    /// where there are none.
    ///
    /// # Errors
    /// When the store cannot hold such a name.
    pub(crate) fn partition(&self, values: &[(String, String)]) -> Result<Path> {
        let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let below = values
            .iter()
            .map(|(column, value)| format!("/{}={}", escape(column), escape(value)))
            .collect::<String>();
        Path::parse(format!("{}{below}", self.path))
            .map_err(|error| EngineError::Write { table: self.name(), reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables() {
        let root = Path::from("lake");
        let folder = TableFolder::new(&root, "analysis", "revenue_forecast").unwrap();
        assert_eq!(folder.path().as_ref(), "lake/analysis/revenue_forecast");
        for (schema, table) in
            [("", "t"), ("a", "_jobs"), (".a", "t"), ("a", "b/c"), ("a", ".."), ("a", "b c")]
        {
            assert!(TableFolder::new(&root, schema, table).is_err(), "{schema}.{table}");
        }
    }

    #[test]
    fn partitions_are_escaped_as_hive_does() {
        let folder = TableFolder::new(&Path::from("lake"), "a", "t").unwrap();
        let check = |value: &str, expected: &str| {
            let path = folder.partition(&[("k".to_owned(), value.to_owned())]).unwrap();
            assert_eq!(path.as_ref(), format!("lake/a/t/k={expected}"), "{value}");
        };
        check("2025", "2025");
        check("a/b=c%", "a%2Fb%3Dc%25");
        check("..", "..");
        check("臺北", "%E8%87%BA%E5%8C%97");
        assert_eq!(folder.partition(&[]).unwrap(), *folder.path());
    }
}
