//! From a definition to what is to be done now.

use std::collections::BTreeMap;

use arrow::datatypes::{Schema, SchemaRef};
use sha2::{Digest, Sha256};

use crate::catalog::Lake;
use crate::error::{EngineError, ErrorKind, Result, did_you_mean};
use crate::job::definition::{JobDefinition, JobQuery, PartitionRule};
use crate::job::inputs::{changes, inputs};
use crate::job::partitions::{Partitions, partitions};
use crate::job::record::Plan;
use crate::plan::{replace_named, split, sql_literal};
use crate::session::Session;
use crate::write::hexadecimal;

/// A plan, and what its files will look like.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// Columns of the files, without those that the folders tell.
    pub(crate) schema: SchemaRef,
    pub(crate) partition_columns: Vec<String>,
}

/// Plans `definition` against the lake as it is now; nothing is written.
///
/// # Errors
/// When the query or the partitions cannot be planned or asked for, or the job would read what it writes.
pub(crate) async fn plan(session: &Session, lake: &Lake, definition: &JobDefinition) -> Result<Planned> {
    let refuse = |reason: String| EngineError::job(&definition.name, ErrorKind::Usage, reason);
    let JobQuery::Sql(written) = &definition.query else {
        return Err(refuse("its query of the library has not been looked up".to_owned()));
    };
    let rule = definition.partition.as_ref();
    let Partitions { columns, all, groups, mut tables } =
        partitions(session, lake, rule, &definition.name).await?;
    let sql = statement(definition, written, &columns).map_err(refuse)?;
    let first = all.first().cloned().unwrap_or_default();
    let query = match groups.first() {
        // Bound by the files that are there to be read.
        Some(_) => session.query(&sql).await?,
        None => session.query_with(&sql, &first.scalars()).await?,
    };
    tables.extend(query.tables().iter().cloned());
    if tables.contains(&definition.output()) {
        return Err(refuse(format!(
            "it reads the table {} that it writes: write another",
            definition.output()
        )));
    }
    let kept = query.schema();
    let kept = kept.fields().iter().filter(|field| !columns.contains(field.name()));
    // What is known not to be NULL may differ from one partition to the next.
    let schema =
        Schema::new(kept.map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>());
    if schema.fields().is_empty() {
        return Err(refuse(
            "its query answers with no column but those of the partition: add one".to_owned(),
        ));
    }
    let plan = Plan {
        job: definition.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        principal: session.principal().name.clone(),
        query_sha256: hexadecimal(&Sha256::digest(sql.as_bytes())),
        sql,
        parameters: definition
            .parameters
            .iter()
            .map(|(name, parameter)| (name.clone(), parameter.text.clone()))
            .collect(),
        cut: serde_json::to_value(rule).map_err(|error| EngineError::Defect { reason: error.to_string() })?,
        output: definition.output(),
        mode: definition.mode,
        inputs: inputs(lake, &tables).await?,
        partitions: all,
        groups,
    };
    Ok(Planned { plan, schema: std::sync::Arc::new(schema), partition_columns: columns })
}

/// The job's statement: parameters in it as literals, the values of a partition as `$1`, `$2`, …. A query that does
/// not ask for a value is narrowed to it from outside.
fn statement(
    definition: &JobDefinition,
    written: &str,
    columns: &[String],
) -> std::result::Result<String, String> {
    let statements = split(written).map_err(|error| error.to_string())?;
    let [one] = statements.as_slice() else {
        return Err(format!("its query is {} statements: give one", statements.len()));
    };
    let mut asked = vec![false; columns.len()];
    let mut used: BTreeMap<&str, bool> =
        definition.parameters.keys().map(|name| (name.as_str(), false)).collect();
    let replaced = replace_named(one, |name| {
        if let Some(index) = columns.iter().position(|column| column == name) {
            if let Some(asked) = asked.get_mut(index) {
                *asked = true;
            }
            return Some(format!("${}", index + 1));
        }
        if let Some(used) = used.get_mut(name) {
            *used = true;
        }
        definition.parameters.get(name).map(|parameter| parameter.literal.clone())
    });
    let sql = replaced.map_err(|unknown| {
        let Some(name) = unknown.first() else { return "its query is no SQL".to_owned() };
        let known = columns.iter().chain(definition.parameters.keys()).map(String::as_str);
        let hint =
            did_you_mean(name, known, "; give it under [parameters], or partition by a column of this name");
        format!("its query asks for ${name}, which has no value{hint}")
    })?;
    if let Some((name, _)) = used.iter().find(|(_, used)| !**used) {
        return Err(format!("its query has no place ${name} for parameters.{name}: take it out, or use it"));
    }
    let by_files = matches!(definition.partition, Some(PartitionRule::Files { .. }));
    let conditions: Vec<String> = columns
        .iter()
        .enumerate()
        .filter(|(index, _)| !by_files && asked.get(*index) == Some(&false))
        .map(|(index, column)| format!("answer.{} = ${}", sql_literal::identifier(column), index + 1))
        .collect();
    Ok(match conditions.is_empty() {
        true => sql,
        false => format!("SELECT * FROM (\n{sql}\n) AS answer WHERE {}", conditions.join(" AND ")),
    })
}

/// What has changed since `then` was planned, a phrase each.
pub(crate) fn differences(then: &Plan, now: &Plan) -> Vec<String> {
    let mut phrases = Vec::new();
    if then.query_sha256 != now.query_sha256 {
        phrases.push("its query or parameters have changed".to_owned());
    }
    if then.cut != now.cut {
        phrases.push("its partitions are cut in another way".to_owned());
    }
    if (&then.output, then.mode) != (&now.output, now.mode) {
        phrases.push("its output or mode has changed".to_owned());
    }
    if then.principal != now.principal {
        phrases.push(format!("it was begun as {} and is now run as {}", then.principal, now.principal));
    }
    if then.version != now.version {
        phrases.push(format!("it was begun by Tithe {} and this is {}", then.version, now.version));
    }
    phrases.extend(changes(&then.inputs, &now.inputs));
    phrases
}
