"""Writes a lake's invoices once more by another tool, for comparing engines over files that Tithe did not write.

    python3 benches/compare/rewrite.py LAKE INTO --by duckdb|polars

One file a folder, as the tool writes it by itself; all other tables are copied.
"""

import argparse
import pathlib
import shutil

TABLES = ["header", "item"]


def by_duckdb(folder, file):
    import duckdb

    files = f"read_parquet('{folder}/*.parquet', hive_partitioning=false)"
    duckdb.sql(f"COPY (SELECT * FROM {files}) TO '{file}' (FORMAT parquet)")


def by_polars(folder, file):
    import polars

    polars.scan_parquet(folder / "*.parquet", hive_partitioning=False).sink_parquet(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("into", type=pathlib.Path)
    parser.add_argument("--by", choices=["duckdb", "polars"], required=True)
    options = parser.parse_args()
    if options.into.exists():
        raise SystemExit(f"{options.into} exists: remove it, or take another folder")
    write = {"duckdb": by_duckdb, "polars": by_polars}[options.by]
    # Whole or not at all: another run looks for the folder.
    made = options.into.with_name(options.into.name + ".part")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(options.lake, made, ignore=shutil.ignore_patterns(*TABLES))
    for table in TABLES:
        for folder in sorted((options.lake / "invoice" / table).iterdir()):
            into = made / "invoice" / table / folder.name
            into.mkdir(parents=True)
            write(folder, into / "all.parquet")
    made.rename(options.into)


main()
