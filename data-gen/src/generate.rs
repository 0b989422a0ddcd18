//! Which table is made when: communities first, then the invoices of every period, each written in
//! an order that does not depend on which thread was faster.

mod economy;
mod invoices;
mod links;
mod people;

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use crate::community::Layout;
use crate::error::GenerateError;
use crate::options::{GenerateOptions, Size};
use crate::progress::Progress;
use crate::tables::{
    AgencyRow, AllotmentRow, BureauRow, BusinessOwnerRow, CHANNELS, CountyRow, CreatorIncomeRow, DONATIONS,
    DocumentRow, HeaderRow, IncomeReturnRow, IndustryRow, ItemRow, LinkRow, LinkWeightRow, MisleadingKeyRow,
    MissingInvoiceRow, PAGES, POSTS, PaymentRow, PlatformReportRow, PriorRow, RegisteredAccountRow,
    RemittanceRow, RepresentationRow, RevenueRow, TaxTypeRow, TaxpayerRow, VIDEOS, VatEvasionRow,
    VatReturnRow, WithholdingRow, real_series,
};
use crate::write::{Record, Staging, TableName};

/// One finished table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Rows; for pages, files.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Size of all files.
    pub bytes: u64,
}

/// More units at once would only cost memory: each holds the invoices of ten communities.
const MOST_AT_ONCE: usize = 8;

/// Writes the sample lake and tells what is in it.
///
/// Everything is first written below `OUT/.incomplete-gen`; tables move into the lake when all are complete, and
/// `OUT/_lake.json` comes last. Same seed and scale give the same bytes for any number of threads.
///
/// # Errors
/// When the options make no sense, a table exists and `overwrite` is off, another run is writing there, or the file
/// system refuses.
pub fn generate(
    options: &GenerateOptions,
    progress: &dyn Progress,
) -> Result<Vec<TableSummary>, GenerateError> {
    let layout = Layout::new(Size::of(options.scale)?);
    if options.threads == Some(0) {
        return Err(GenerateError::Threads);
    }
    let staging = Staging::begin(&options.out, &all_tables(), options.overwrite)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|source| GenerateError::ThreadPool { source })?;
    progress.start(layout.units());
    let work = Work { seed: options.seed, layout, staging: &staging, progress };
    let mut counts = pool.install(|| -> Result<_, GenerateError> {
        let mut counts = economy::write(&work)?;
        counts.extend(people::write(&work)?);
        counts.extend(invoices::write(&work)?);
        Ok(counts)
    })?;
    counts.extend(write_real(&staging)?);
    let tables = summarise(&staging, &counts)?;
    staging.publish(Some(&lake_json(options, &tables)))?;
    progress.finish();
    Ok(tables)
}

/// Writes only the published series (schema `real`) into a lake.
///
/// # Errors
/// As [`generate`].
pub fn generate_real(out: &Path, overwrite: bool) -> Result<Vec<TableSummary>, GenerateError> {
    let names: Vec<TableName> = real_series().iter().map(|series| series.table).collect();
    let staging = Staging::begin(out, &names, overwrite)?;
    let counts = write_real(&staging)?;
    let tables = summarise(&staging, &counts)?;
    staging.publish(None)?;
    Ok(tables)
}

/// What every part of the work needs.
pub(crate) struct Work<'a> {
    seed: u64,
    layout: Layout,
    staging: &'a Staging,
    progress: &'a dyn Progress,
}

impl Work<'_> {
    /// Makes units in parallel, a bounded number at once, and hands their results over in order.
    fn in_order<U: Sync, T: Send>(
        &self,
        units: &[U],
        make: impl Fn(&U) -> Result<T, GenerateError> + Sync,
        mut take: impl FnMut(T) -> Result<(), GenerateError>,
    ) -> Result<(), GenerateError> {
        for window in units.chunks(rayon::current_num_threads().clamp(1, MOST_AT_ONCE)) {
            let made: Vec<T> = window.par_iter().map(&make).collect::<Result<_, _>>()?;
            made.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }
}

/// A table and how many rows it got.
type Count = (TableName, u64);

fn all_tables() -> Vec<TableName> {
    let mut tables = vec![
        AgencyRow::TABLE,
        BureauRow::TABLE,
        CountyRow::TABLE,
        IndustryRow::TABLE,
        TaxTypeRow::TABLE,
        TaxpayerRow::TABLE,
        VatReturnRow::TABLE,
        WithholdingRow::TABLE,
        IncomeReturnRow::TABLE,
        PaymentRow::TABLE,
        RevenueRow::TABLE,
        HeaderRow::TABLE,
        ItemRow::TABLE,
        AllotmentRow::TABLE,
        CHANNELS,
        VIDEOS,
        POSTS,
        DONATIONS,
        PAGES,
        RemittanceRow::TABLE,
        PlatformReportRow::TABLE,
        BusinessOwnerRow::TABLE,
        RegisteredAccountRow::TABLE,
        LinkWeightRow::TABLE,
        PriorRow::TABLE,
        CreatorIncomeRow::TABLE,
        LinkRow::TABLE,
        RepresentationRow::TABLE,
        MisleadingKeyRow::TABLE,
        DocumentRow::TABLE,
        VatEvasionRow::TABLE,
        MissingInvoiceRow::TABLE,
    ];
    tables.extend(real_series().iter().map(|series| series.table));
    tables.sort();
    tables
}

fn write_real(staging: &Staging) -> Result<Vec<Count>, GenerateError> {
    real_series()
        .into_iter()
        .map(|series| {
            let path = staging.path(series.table).join("part-00000.parquet");
            fs::write(&path, series.parquet).map_err(GenerateError::io("write", &path))?;
            Ok((series.table, series.rows))
        })
        .collect()
}

fn summarise(staging: &Staging, counts: &[Count]) -> Result<Vec<TableSummary>, GenerateError> {
    let mut names: Vec<TableName> = counts.iter().map(|(name, _)| *name).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let (files, bytes) = staging.measure(name)?;
            let rows = counts.iter().filter(|(other, _)| *other == name).map(|(_, rows)| rows).sum();
            Ok(TableSummary {
                schema: name.schema.to_owned(),
                table: name.table.to_owned(),
                rows,
                files,
                bytes,
            })
        })
        .collect()
}

fn lake_json(options: &GenerateOptions, tables: &[TableSummary]) -> String {
    let tables: Vec<_> = tables
        .iter()
        .map(|t| {
            serde_json::json!({ "schema": t.schema, "table": t.table, "rows": t.rows, "files": t.files, "bytes": t.bytes })
        })
        .collect();
    let summary = serde_json::json!({
        "generator": "tithe-data-gen",
        "version": env!("CARGO_PKG_VERSION"),
        "scale": options.scale,
        "seed": options.seed,
        "synthetic": true,
        "note": "Every person, business, number and amount is made up, except the published series of schema real. \
                 Business numbers start with 9 and national IDs with letters that are no longer issued.",
        "tables": tables,
    });
    format!("{summary:#}\n")
}
