//! The argument `priors`: lists of named values, and the priors that they make.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, StringArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::cast::{as_float64_array, as_list_array, as_string_array, as_struct_array};
use datafusion::common::{Result, ScalarValue, plan_err};
use tithe_compute::income::{PRIOR_TABLE, PRIORS_VERSION, PriorChange, Priors, changed_priors};

use super::NAME;

const TEXTS: [&str; 4] = ["version", "name", "key", "unit"];
const REQUIRED: [&str; 4] = ["version", "name", "value", "unit"];

/// Priors and the name of their version, or what is wrong with them.
pub(super) type Set = std::result::Result<(Priors, String), String>;

/// Refuses what is no list of named values.
pub(super) fn check(data_type: &DataType) -> Result<()> {
    let Some(fields) = fields(data_type) else {
        return if data_type.is_null() {
            Ok(())
        } else {
            plan_err!(
                "{NAME}: priors takes a list of STRUCT of version, name, key, value and unit, such as (SELECT \
                 array_agg(named_struct('version', version, 'name', name, 'key', key, 'value', value, 'unit', unit)) \
                 FROM income.priors), got {data_type}"
            )
        };
    };
    for field in fields {
        let (name, kind) = (field.name().as_str(), field.data_type());
        let kind = if let DataType::Dictionary(_, values) = kind { values } else { kind };
        if name == "value" {
            if !kind.is_numeric() && !kind.is_null() {
                return plan_err!("{NAME}: 'value' of priors takes a number, got {kind}; write a CAST");
            }
        } else if !TEXTS.contains(&name) {
            return plan_err!(
                "{NAME}: priors has no field '{name}'; it has version, name, key, value and unit"
            );
        } else if !kind.is_string() && !kind.is_null() {
            return plan_err!("{NAME}: '{name}' of priors takes text, got {kind}; write a CAST");
        }
    }
    match REQUIRED.iter().find(|name| fields.find(name).is_none()) {
        Some(missing) => plan_err!("{NAME}: priors lacks the field '{missing}'"),
        None => Ok(()),
    }
}

fn fields(data_type: &DataType) -> Option<&Fields> {
    match data_type {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses a literal that cannot be used.
pub(super) fn check_literal(literal: &ScalarValue) -> Result<()> {
    if !literal.data_type().is_null()
        && let Some(Err(wrong)) = read(&literal.to_array_of_size(1)?)?.first()
    {
        return plan_err!("{NAME}: {wrong}");
    }
    Ok(())
}

/// The set of each row. A list that is NULL or empty is no set: a version that does not exist must not become the
/// built-in one.
pub(super) fn read(lists: &ArrayRef) -> Result<Vec<Set>> {
    let lists = as_list_array(lists)?;
    let mut sets = Vec::with_capacity(lists.len());
    for list in lists.iter() {
        sets.push(match list.filter(|list| !list.is_empty()) {
            Some(list) => set(as_struct_array(&list)?)?,
            None => Err("the list of priors is empty; is there such a version?".to_owned()),
        });
    }
    Ok(sets)
}

/// Rows that take the same set.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) priors: &'a Priors,
    pub(super) rows: Vec<usize>,
}

/// The usable sets of many rows, each once.
pub(super) fn grouped(sets: &[Set]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<Vec<u64>, Group<'_>> = BTreeMap::new();
    for (row, set) in sets.iter().enumerate() {
        if let Ok((priors, _)) = set {
            let values = PRIOR_TABLE.iter().map(|prior| prior.of(priors).to_bits()).collect();
            groups.entry(values).or_insert_with(|| Group { priors, rows: Vec::new() }).rows.push(row);
        }
    }
    groups.into_values().collect()
}

/// The built-in set.
pub(super) fn built_in() -> (Priors, String) {
    (Priors::default(), PRIORS_VERSION.to_owned())
}

fn set(list: &StructArray) -> Result<Set> {
    // One more than there are cannot be right, and a list of millions is not read.
    if list.len() > PRIOR_TABLE.len() {
        return Ok(Err(format!(
            "the list has {} priors, of {} that there are; choose one version",
            list.len(),
            PRIOR_TABLE.len()
        )));
    }
    let text = |name: &str| -> Result<StringArray> {
        let column = list.column_by_name(name).map(|column| cast(column, &DataType::Utf8)).transpose()?;
        Ok(match column {
            Some(column) => as_string_array(&column)?.clone(),
            None => StringArray::new_null(list.len()),
        })
    };
    let (versions, names, keys, units) = (text("version")?, text("name")?, text("key")?, text("unit")?);
    let value = list.column_by_name("value").map(|column| cast(column, &DataType::Float64)).transpose()?;
    let values = value.as_ref().map(|column| as_float64_array(column)).transpose()?;
    fn at(column: &StringArray, row: usize) -> Option<&str> {
        column.is_valid(row).then(|| column.value(row))
    }
    let changes: Vec<PriorChange<'_>> = (0..list.len())
        .map(|row| PriorChange {
            version: at(&versions, row),
            name: at(&names, row),
            key: at(&keys, row),
            unit: at(&units, row),
            value: values.filter(|values| values.is_valid(row)).map(|values| values.value(row)),
        })
        .collect();
    Ok(changed_priors(&changes).map_err(|error| error.to_string()))
}
