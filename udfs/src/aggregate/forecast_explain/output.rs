//! The result: a struct for every group, with a list of steps and a list of parameters.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use tithe_compute::forecast::{Explanation, Model, SeasonalEffect, Step};

use super::evaluation::GroupExplanation;
use crate::aggregate::series::PeriodType;

/// A column of the forecast: its name and where it comes from.
type StepColumn = (&'static str, fn(&Step) -> f64);
/// A column of what the forecast is made of: its name and its value at a step, counted from 0.
type EffectColumn = (&'static str, fn(&Explanation, usize) -> Option<f64>);

const FORECAST: [StepColumn; 5] = [
    ("forecast_value", |step| step.mean),
    ("lo80", |step| step.lo80),
    ("hi80", |step| step.hi80),
    ("lo95", |step| step.lo95),
    ("hi95", |step| step.hi95),
];

const MEMBERS: [Model; 6] = [Model::Snaive, Model::Dot, Model::Ets, Model::Hw, Model::Ar, Model::Smedian];

const EFFECTS: [EffectColumn; 4] = [
    ("seasonal_factor", |found, step| match found.season.as_ref()? {
        SeasonalEffect::Factors(factors) => factors.get(step).copied(),
        SeasonalEffect::Amounts(_) => None,
    }),
    ("seasonal_amount", |found, step| match found.season.as_ref()? {
        SeasonalEffect::Amounts(amounts) => amounts.get(step).copied(),
        SeasonalEffect::Factors(_) => None,
    }),
    ("calendar_factor", |found, step| found.holiday.as_ref()?.get(step).copied()),
    ("growth_factor", |found, step| found.growth.as_ref()?.get(step).copied()),
];

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn step_fields(period: &DataType) -> Fields {
    let mut fields = vec![field("step", DataType::Int64), field("forecast_timestamp", period.clone())];
    let names = FORECAST.iter().map(|(name, _)| *name);
    let names =
        names.chain(MEMBERS.iter().map(|model| model.name())).chain(EFFECTS.iter().map(|(name, _)| *name));
    fields.extend(names.map(|name| field(name, DataType::Float64)));
    Fields::from(fields)
}

fn parameter_fields() -> Fields {
    Fields::from(vec![
        field("model", DataType::Utf8),
        field("component", DataType::Utf8),
        field("parameter", DataType::Utf8),
        field("value", DataType::Float64),
    ])
}

fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields), true)))
}

fn fields(period: &DataType) -> Fields {
    Fields::from(vec![
        field("model", DataType::Utf8),
        field("values", DataType::Int64),
        field("season", DataType::Int64),
        field("steps", list_of(step_fields(period))),
        field("parameters", list_of(parameter_fields())),
        field("status", DataType::Utf8),
    ])
}

/// Struct, for periods of type `period`.
pub(super) fn result_type(period: &DataType) -> DataType {
    DataType::Struct(fields(period))
}

/// One struct for each group, NULL where it had no rows.
///
/// # Errors
/// When Arrow cannot make the array.
pub(super) fn to_structs(groups: &[Option<GroupExplanation>], period: &PeriodType) -> Result<ArrayRef> {
    let present = || groups.iter().map(Option::as_ref);
    let found = || present().map(|group| group?.found.as_ref());
    let models = found().map(|found| Some(found?.forecast.model.name()));
    let count = |of: fn((usize, usize)) -> usize| -> ArrayRef {
        let counts = present().map(|group| i64::try_from(of(group?.length_and_season?)).ok());
        Arc::new(counts.collect::<Int64Array>())
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(models.collect::<StringArray>()),
        count(|(length, _)| length),
        count(|(_, season)| season),
        Arc::new(steps(groups, period)?),
        Arc::new(parameters(groups)?),
        Arc::new(present().map(|group| Some(group?.status.as_str())).collect::<StringArray>()),
    ];
    let nulls = NullBuffer::from_iter(groups.iter().map(Option::is_some));
    Ok(Arc::new(StructArray::try_new(fields(period.data_type()), columns, Some(nulls))?))
}

fn steps(groups: &[Option<GroupExplanation>], period: &PeriodType) -> Result<ListArray> {
    let present = || groups.iter().flatten();
    let numbers = present().flat_map(|group| (1_i64..).take(group.times.len())).map(Some);
    let times = present().flat_map(|group| group.times.iter().copied()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers.collect::<Int64Array>()), period.write(times)?];
    let mut add = |value: &dyn Fn(&Explanation, usize) -> Option<f64>| {
        let of_group = |group: &GroupExplanation| -> Vec<Option<f64>> {
            (0..group.times.len()).map(|step| value(group.found.as_ref()?, step)).collect()
        };
        columns.push(Arc::new(present().flat_map(of_group).collect::<Float64Array>()));
    };
    for (_, value) in FORECAST {
        add(&|found, step| found.forecast.steps.get(step).map(value));
    }
    for model in MEMBERS {
        add(&|found, step| {
            let member = found.members.iter().find(|member| member.model == model)?;
            member.forecast.get(step).copied()
        });
    }
    for (_, value) in EFFECTS {
        add(&value);
    }
    let lengths = groups.iter().map(|group| group.as_ref().map_or(0, |group| group.times.len()));
    list(
        step_fields(period.data_type()),
        columns,
        lengths,
        NullBuffer::from_iter(groups.iter().map(Option::is_some)),
    )
}

/// Votes of every member, then what was fitted.
fn parameters(groups: &[Option<GroupExplanation>]) -> Result<ListArray> {
    let mut rows: Vec<(&str, Option<&str>, &str, f64)> = Vec::new();
    let mut lengths = Vec::with_capacity(groups.len());
    for group in groups {
        let before = rows.len();
        for member in group.iter().filter_map(|group| group.found.as_ref()).flat_map(|found| &found.members) {
            rows.push((member.model.name(), None, "votes", member.votes as f64));
            rows.extend(
                member.parameters.iter().map(|fitted| {
                    (member.model.name(), fitted.component, fitted.name.as_ref(), fitted.value)
                }),
            );
        }
        lengths.push(rows.len() - before);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Float64Array>()),
    ];
    let found = |group: &Option<GroupExplanation>| group.as_ref().is_some_and(|group| group.found.is_some());
    list(parameter_fields(), columns, lengths.into_iter(), NullBuffer::from_iter(groups.iter().map(found)))
}

/// Lists of these lengths over the rows of `columns`.
///
/// # Errors
/// When there are more rows than a list can count.
fn list(
    fields: Fields,
    columns: Vec<ArrayRef>,
    lengths: impl Iterator<Item = usize>,
    nulls: NullBuffer,
) -> Result<ListArray> {
    let rows = columns.first().map_or(0, |column| column.len());
    if i32::try_from(rows).is_err() {
        return exec_err!(
            "forecast_explain: {rows} steps are too many for one batch; ask for a smaller horizon"
        );
    }
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
    Ok(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(structs), Some(nulls))?)
}
