use crate::write::TableName;

/// A published revenue series that ships with the program.
pub(crate) struct RealSeries {
    pub(crate) table: TableName,
    pub(crate) parquet: &'static [u8],
    pub(crate) rows: u64,
}

/// The published series; their sources and licences are in `real/PROVENANCE.md`.
pub(crate) fn real_series() -> [RealSeries; 3] {
    [
        RealSeries {
            table: TableName::new("real", "tw_tax_monthly"),
            parquet: include_bytes!("../../real/tw_tax_monthly.parquet"),
            rows: 19_764,
        },
        RealSeries {
            table: TableName::new("real", "br_tax_monthly"),
            parquet: include_bytes!("../../real/br_tax_monthly.parquet"),
            rows: 208_161,
        },
        RealSeries {
            table: TableName::new("real", "phl_wage_tax_monthly"),
            parquet: include_bytes!("../../real/phl_wage_tax_monthly.parquet"),
            rows: 6_396,
        },
    ]
}
