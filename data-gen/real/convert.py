"""Convert the published revenue series to the small Parquet files that ship with the crate.

Usage: python convert.py SOURCE_DIR   (needs pyarrow; the files appear beside this script)

SOURCE_DIR holds tw_tax_by_type_month.csv, br_federal_tax_by_state_tax_month.csv.gz and
phl_wage_tax_by_industry_month.csv as PROVENANCE.md describes them. Amounts are read as text and
kept as exact decimals; a value that does not fit its scale stops the conversion.
"""

import csv
import gzip
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent


def rows(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as source:
        yield from csv.DictReader(source)


def exact(text, scale):
    value = Decimal(text)
    if value != round(value, scale):
        raise SystemExit(f"{text} does not fit {scale} decimals")
    return value


def write(name, source, schema, sort_by):
    table = pa.Table.from_pylist(source, schema=schema).sort_by([(c, "ascending") for c in sort_by])
    pq.write_table(
        table,
        HERE / f"{name}.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=[f.name for f in schema if not pa.types.is_decimal(f.type)],
        version="2.6",
        store_schema=False,
    )


def main():
    source = Path(sys.argv[1])
    write(
        "tw_tax_monthly",
        [
            {
                "month": date.fromisoformat(r["month"]),
                "tax_type": r["tax_en"],
                "tax_name_zh": r["tax_zh"],
                "net_collections_million": exact(r["net_collections_twd_million"], 3),
            }
            for r in rows(source / "tw_tax_by_type_month.csv")
        ],
        pa.schema(
            [
                pa.field("month", pa.date32(), nullable=False),
                pa.field("tax_type", pa.string(), nullable=False),
                pa.field("tax_name_zh", pa.string(), nullable=False),
                pa.field("net_collections_million", pa.decimal128(18, 3)),
            ]
        ),
        ["tax_type", "month"],
    )
    write(
        "br_tax_monthly",
        [
            {
                "month": date.fromisoformat(r["month"]),
                "state": r["state"],
                "tax": r["tax"],
                "revenue_brl": exact(r["revenue_brl"], 4),
            }
            for r in rows(source / "br_federal_tax_by_state_tax_month.csv.gz")
        ],
        pa.schema(
            [
                pa.field("month", pa.date32(), nullable=False),
                pa.field("state", pa.string(), nullable=False),
                pa.field("tax", pa.string(), nullable=False),
                pa.field("revenue_brl", pa.decimal128(18, 4)),
            ]
        ),
        ["state", "tax", "month"],
    )
    write(
        "phl_wage_tax_monthly",
        [
            {
                "month": date.fromisoformat(r["month"]),
                "sector": r["sector"],
                "parent_sector": r["parent_sector"],
                "wage_tax_usd": exact(r["wage_tax_usd"], 2),
            }
            for r in rows(source / "phl_wage_tax_by_industry_month.csv")
        ],
        pa.schema(
            [
                pa.field("month", pa.date32(), nullable=False),
                pa.field("sector", pa.string(), nullable=False),
                pa.field("parent_sector", pa.string(), nullable=False),
                pa.field("wage_tax_usd", pa.decimal128(18, 2)),
            ]
        ),
        ["sector", "parent_sector", "month"],
    )


if __name__ == "__main__":
    main()
