use super::{Count, Work};
use crate::error::GenerateError;
use crate::reference::{agencies, bureaus, counties, industries, link_weights, priors, tax_types};
use crate::tables::{
    AgencyRow, BureauRow, CountyRow, IndustryRow, LinkWeightRow, PriorRow, TaxTypeRow, revenue_monthly,
};
use crate::write::{Record, write_parquet};

/// The tables that are the same at every scale.
pub(super) fn write(work: &Work<'_>) -> Result<Vec<Count>, GenerateError> {
    Ok(vec![
        table(work, agencies().iter().map(AgencyRow).collect())?,
        table(work, bureaus().iter().map(BureauRow).collect())?,
        table(work, counties().iter().map(CountyRow).collect())?,
        table(work, industries().iter().map(IndustryRow).collect())?,
        table(work, tax_types().iter().map(TaxTypeRow).collect())?,
        table(work, link_weights().into_iter().map(LinkWeightRow).collect())?,
        table(work, priors().into_iter().map(PriorRow).collect())?,
        table(work, revenue_monthly(work.seed))?,
    ])
}

fn table<R: Record>(work: &Work<'_>, rows: Vec<R>) -> Result<Count, GenerateError> {
    let path = work.staging.path(R::TABLE).join("part-00000.parquet");
    Ok((R::TABLE, write_parquet(&path, rows)?))
}
