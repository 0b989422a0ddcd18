"""DuckDB on what ADBC fetched. Usage: duckdb_client.py grpc://HOST:PORT"""

import sys

import adbc_driver_flightsql.dbapi as flight_sql
import duckdb

with flight_sql.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT * FROM tax.vat_return")
    returns = cursor.fetch_arrow_table()
    (here,) = duckdb.sql("SELECT count(*), sum(sales_amount) FROM returns").fetchall()
    cursor.execute("SELECT count(*), sum(sales_amount) FROM tax.vat_return")
    there = cursor.fetchone()
    assert here == there and here[0] > 0, (here, there)
    cursor.execute("SELECT value FROM generate_series(1, 300000)")
    batches = cursor.fetch_record_batch()
    assert duckdb.sql("SELECT count(*), sum(value) FROM batches").fetchall() == [(300_000, 300_000 * 300_001 // 2)]
print("DuckDB", duckdb.__version__)
