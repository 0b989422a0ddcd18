//! The result struct: its type, and an array of it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBufferBuilder, Float64Array, Int64Array, ListBuilder, StringArray, StringBuilder,
    StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use tithe_compute::income::{Amounts, Contribution, Estimate, Summary, Undeclared};

use crate::scalar::struct_rows::{nullable_fields, struct_lists};

const COMPONENTS: [&str; 5] = ["ads", "sponsorship", "donations", "group_buy", "other"];

/// What a column takes from the amounts.
type Pick<T> = fn(&T) -> f64;

const SUMMARY: [(&str, Pick<Summary>); 4] = [
    ("p10", |summary| summary.p10),
    ("p50", |summary| summary.p50),
    ("p90", |summary| summary.p90),
    ("mean", |summary| summary.mean),
];

const UNDECLARED: [(&str, Pick<Undeclared>); 3] = [
    ("undeclared_mean", |undeclared| undeclared.mean),
    ("undeclared_p10", |undeclared| undeclared.p10),
    ("undeclared_p90", |undeclared| undeclared.p90),
];

const PROBABILITIES: [(&str, Pick<Amounts>); 3] = [
    ("p_month_50k", |amounts| amounts.p_month_50k),
    ("p_month_200k", |amounts| amounts.p_month_200k),
    ("effective_sample_size", |amounts| amounts.effective_sample_size),
];

/// What a column takes from one contribution.
type PickOptional = fn(&Contribution) -> Option<f64>;

const CONTRIBUTION: [(&str, PickOptional); 5] = [
    ("shift", |contribution| Some(contribution.shift)),
    ("narrowing", |contribution| contribution.narrowing),
    ("p10_without", |contribution| Some(contribution.without.p10)),
    ("p50_without", |contribution| Some(contribution.without.p50)),
    ("p90_without", |contribution| Some(contribution.without.p90)),
];

pub(super) fn data_type() -> DataType {
    DataType::Struct(fields())
}

fn double(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

fn summary_fields() -> Fields {
    SUMMARY.iter().map(|(name, _)| double(name)).collect()
}

fn component_fields() -> Fields {
    COMPONENTS.iter().map(|name| Field::new(*name, DataType::Struct(summary_fields()), true)).collect()
}

fn contribution_fields() -> Fields {
    let mut fields = vec![("evidence", DataType::Utf8)];
    fields.extend(CONTRIBUTION.map(|(name, _)| (name, DataType::Float64)));
    nullable_fields(&fields)
}

fn fields() -> Fields {
    let mut fields: Vec<Field> = SUMMARY.iter().map(|(name, _)| double(name)).collect();
    fields.push(Field::new("components", DataType::Struct(component_fields()), true));
    fields.push(double("taxable_p50"));
    fields.extend(UNDECLARED.iter().map(|(name, _)| double(name)));
    fields.extend(PROBABILITIES.iter().map(|(name, _)| double(name)));
    let contributions = DataType::new_list(DataType::Struct(contribution_fields()), true);
    fields.push(Field::new("contributions", contributions, true));
    let flag = Field::new_list_field(DataType::Utf8, true);
    fields.push(Field::new("flags", DataType::List(Arc::new(flag)), true));
    fields.push(Field::new("prior_version", DataType::Utf8, true));
    fields.push(Field::new("seed", DataType::Int64, true));
    fields.push(Field::new("prior_error", DataType::Utf8, true));
    fields.into()
}

/// An estimate and the priors it rests on.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// `None` where there is no evidence.
    pub(super) estimate: Option<Estimate>,
    /// The version of the priors, where they can be used.
    pub(super) version: Option<&'a str>,
    /// Why they cannot.
    pub(super) wrong: Option<&'a str>,
}

/// One row an estimate; NULL where there is none.
pub(super) fn build<'a>(rows: &[Row<'a>], seed: i64) -> Result<StructArray> {
    let amounts: Vec<Option<&Amounts>> =
        rows.iter().map(|row| row.estimate.as_ref()?.amounts.as_ref()).collect();
    let doubles = |pick: &dyn Fn(&Amounts) -> Option<f64>| -> ArrayRef {
        Arc::new(amounts.iter().map(|amounts| amounts.and_then(pick)).collect::<Float64Array>())
    };
    let summaries = |of: &dyn Fn(&Amounts) -> Summary| -> Vec<ArrayRef> {
        SUMMARY.iter().map(|(_, pick)| doubles(&|amounts| Some(pick(&of(amounts))))).collect()
    };
    let estimated = || {
        let mut valid = BooleanBufferBuilder::new(amounts.len());
        amounts.iter().for_each(|amounts| valid.append(amounts.is_some()));
        Some(NullBuffer::new(valid.finish()))
    };
    let components = (0..COMPONENTS.len())
        .map(|component| -> Result<ArrayRef> {
            let columns = summaries(&|amounts| amounts.components[component]);
            Ok(Arc::new(StructArray::try_new(summary_fields(), columns, estimated())?))
        })
        .collect::<Result<Vec<_>>>()?;

    let mut columns = summaries(&|amounts| amounts.total);
    columns.push(Arc::new(StructArray::try_new(component_fields(), components, estimated())?));
    columns.push(doubles(&|amounts| Some(amounts.taxable_p50)));
    for (_, pick) in UNDECLARED {
        columns.push(doubles(&|amounts| amounts.undeclared.as_ref().map(pick)));
    }
    for (_, pick) in PROBABILITIES {
        columns.push(doubles(&|amounts| Some(pick(amounts))));
    }
    columns.push(contributions(rows)?);
    let mut flags = ListBuilder::new(StringBuilder::new());
    for Row { estimate, .. } in rows {
        if let Some(estimate) = estimate {
            estimate.flags.iter().for_each(|flag| flags.values().append_value(flag.name()));
        }
        flags.append(estimate.is_some());
    }
    columns.push(Arc::new(flags.finish()));
    let present = || rows.iter().map(|row| row.estimate.is_some());
    let texts = |pick: fn(&Row<'a>) -> Option<&'a str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| pick(row).filter(|_| row.estimate.is_some())).collect::<StringArray>())
    };
    columns.push(texts(|row| row.version));
    columns.push(Arc::new(present().map(|row| row.then_some(seed)).collect::<Int64Array>()));
    columns.push(texts(|row| row.wrong));
    let valid: NullBuffer = present().collect::<Vec<bool>>().into();
    Ok(StructArray::try_new(fields(), columns, Some(valid))?)
}

/// A list a row, NULL where an estimate is not explained.
fn contributions(rows: &[Row<'_>]) -> Result<ArrayRef> {
    let lists: Vec<Option<&[Contribution]>> =
        rows.iter().map(|row| row.estimate.as_ref()?.contributions.as_deref()).collect();
    let all = || lists.iter().flatten().copied().flatten();
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(all().map(|contribution| Some(contribution.kind.name())).collect::<StringArray>())];
    for (_, pick) in CONTRIBUTION {
        columns.push(Arc::new(all().map(pick).collect::<Float64Array>()));
    }
    let lengths = lists.iter().map(|list| list.map_or(0, <[Contribution]>::len)).collect();
    let explained: NullBuffer = lists.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    struct_lists(contribution_fields(), columns, lengths, Some(explained))
}
