//! The tables of the TPC-H benchmark as a lake, made on first use.

use std::fmt::{Display, Write};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use tpchgen::csv::{
    CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv,
};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use crate::answer::hash;
use crate::kept_lake::kept_lake;

/// The scale of [`tpch_lake`], a hundredth of the benchmark's smallest official size: about 60,000 lines of orders.
pub const TPCH_SCALE: f64 = 0.01;
/// Files of a table that grows with the scale: more than any cluster of the tests has workers.
const FILES: i32 = 6;
/// Rows of a group in a file.
const ROW_GROUP: usize = 4096;

/// The eight tables of TPC-H in the schema `tpch`, at scale 0.01, each that grows with the scale in six Parquet files;
/// the same directory for every test. Tests must not write into it.
///
/// # Panics
/// When the lake cannot be made.
#[must_use]
pub fn tpch_lake() -> PathBuf {
    static LAKE: OnceLock<PathBuf> = OnceLock::new();
    let name = format!("tpch-{TPCH_SCALE}-{}", hash(include_bytes!("tpch_lake.rs")));
    LAKE.get_or_init(|| kept_lake(&name, make)).clone()
}

const MONEY: DataType = DataType::Decimal128(15, 2);

fn make(lake: &Path) {
    use DataType::{Date32 as Date, Int32 as Int, Int64 as Key, Utf8 as Text};
    let tables = Tables(lake.join("tpch"));
    let once = |part: i32| part == 1;
    let all = |_part: i32| true;
    tables.write("region", RegionCsv::header(), &[Key, Text, Text], once, |part| {
        RegionGenerator::new(TPCH_SCALE, part, FILES).iter().map(RegionCsv::new)
    });
    tables.write("nation", NationCsv::header(), &[Key, Text, Key, Text], once, |part| {
        NationGenerator::new(TPCH_SCALE, part, FILES).iter().map(NationCsv::new)
    });
    let kinds = [Key, Text, Text, Text, Text, Int, Text, MONEY, Text];
    tables.write("part", PartCsv::header(), &kinds, all, |part| {
        PartGenerator::new(TPCH_SCALE, part, FILES).iter().map(PartCsv::new)
    });
    let kinds = [Key, Text, Text, Key, Text, MONEY, Text];
    tables.write("supplier", SupplierCsv::header(), &kinds, all, |part| {
        SupplierGenerator::new(TPCH_SCALE, part, FILES).iter().map(SupplierCsv::new)
    });
    tables.write("partsupp", PartSuppCsv::header(), &[Key, Key, Int, MONEY, Text], all, |part| {
        PartSuppGenerator::new(TPCH_SCALE, part, FILES).iter().map(PartSuppCsv::new)
    });
    let kinds = [Key, Text, Text, Key, Text, MONEY, Text, Text];
    tables.write("customer", CustomerCsv::header(), &kinds, all, |part| {
        CustomerGenerator::new(TPCH_SCALE, part, FILES).iter().map(CustomerCsv::new)
    });
    let kinds = [Key, Key, Text, MONEY, Date, Text, Text, Int, Text];
    tables.write("orders", OrderCsv::header(), &kinds, all, |part| {
        OrderGenerator::new(TPCH_SCALE, part, FILES).iter().map(OrderCsv::new)
    });
    let kinds =
        [Key, Key, Key, Int, MONEY, MONEY, MONEY, MONEY, Text, Text, Date, Date, Date, Text, Text, Text];
    tables.write("lineitem", LineItemCsv::header(), &kinds, all, |part| {
        LineItemGenerator::new(TPCH_SCALE, part, FILES).iter().map(LineItemCsv::new)
    });
}

/// The folder of the tables.
struct Tables(PathBuf);

impl Tables {
    /// Writes the parts that `has` of a table whose columns are called as in `header`.
    fn write<Row: Display, Rows: Iterator<Item = Row>>(
        &self,
        table: &str,
        header: &str,
        kinds: &[DataType],
        has: impl Fn(i32) -> bool,
        rows: impl Fn(i32) -> Rows,
    ) {
        let names: Vec<&str> = header.split(',').collect();
        assert_eq!(names.len(), kinds.len(), "{table}");
        let fields: Vec<Field> =
            names.iter().zip(kinds).map(|(name, kind)| Field::new(*name, kind.clone(), false)).collect();
        let schema = Arc::new(Schema::new(fields));
        let folder = self.0.join(table);
        fs::create_dir_all(&folder).expect("a table's folder");
        for part in (1..=FILES).filter(|part| has(*part)) {
            let mut text = String::new();
            for row in rows(part) {
                writeln!(text, "{row}").expect("a row as text");
            }
            let batches = ReaderBuilder::new(Arc::clone(&schema))
                .with_batch_size(ROW_GROUP)
                .build(text.as_bytes())
                .expect("a reader");
            let file = File::create(folder.join(format!("part-{part}.parquet"))).expect("a file");
            let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).expect("a writer");
            for batch in batches {
                writer.write(&batch.expect("rows of the benchmark")).expect("written rows");
                writer.flush().expect("a row group");
            }
            writer.close().expect("a whole file");
        }
    }
}
