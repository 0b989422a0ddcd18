"""Answers queries with DuckDB from a lake's Parquet files and compares exactly, row by row, in order.

usage: duckdb_check.py LAKE CASES.json
CASES: [{"name", "sql", "columns": [[name, type]], "rows": [[text or null]]}], and where it is so "schema" of tables that
are named without, and "ordered": false for rows in any order. A "quotient" is a decimal that DuckDB computes in floating
point: it may differ by one in its last place.
"""

import datetime
import decimal
import json
import pathlib
import sys

import duckdb


def views(connection, lake):
    for table in sorted(path for path in lake.glob("*/*") if path.is_dir()):
        if next(table.rglob("*.parquet"), None) is None:
            continue
        schema = table.parent.name
        files = str(table / "**" / "*.parquet").replace("'", "''")
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        connection.execute(
            f'CREATE VIEW "{schema}"."{table.name}" AS SELECT * FROM read_parquet(\'{files}\', '
            "hive_partitioning = true, hive_types_autocast = false)"
        )


READ = {
    "integer": int,
    "decimal": decimal.Decimal,
    "quotient": decimal.Decimal,
    "double": float,
    "text": str,
    "date": datetime.date.fromisoformat,
    "boolean": lambda text: {"true": True, "false": False}[text],
}


def same(sql_type, left, right):
    if sql_type == "quotient" and left is not None and right is not None:
        last_place = decimal.Decimal(1).scaleb(left.as_tuple().exponent)
        return abs(left - decimal.Decimal(right)) <= last_place
    return left == right


def difference(connection, case):
    connection.execute(f"SET schema = '{case.get('schema', 'main')}'")
    result = connection.execute(case["sql"])
    names = [column[0] for column in result.description]
    expected_names = [name for name, _ in case["columns"]]
    if names != expected_names:
        return f"columns {names}, expected {expected_names}"
    found = result.fetchall()
    read = [READ[sql_type] for _, sql_type in case["columns"]]
    expected = [
        tuple(None if text is None else of(text) for of, text in zip(read, row, strict=True)) for row in case["rows"]
    ]
    if not case.get("ordered", True):
        expected.sort()
        found.sort()
    types = [sql_type for _, sql_type in case["columns"]]
    for number, (left, right) in enumerate(zip(expected, found), start=1):
        if not all(map(same, types, left, right)):
            return f"row {number}: Tithe {left}, DuckDB {right}"
    if len(expected) != len(found):
        return f"Tithe {len(expected)} rows, DuckDB {len(found)}"
    return None


def main():
    lake, cases = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    connection = duckdb.connect()
    views(connection, lake)
    failures = 0
    for case in cases:
        try:
            problem = difference(connection, case)
        except duckdb.Error as error:
            problem = f"DuckDB: {error}"
        if problem:
            failures += 1
            print(f"{case['name']}: {problem}")
    print(f"{len(cases) - failures} queries agree")
    sys.exit(1 if failures else 0)


main()
