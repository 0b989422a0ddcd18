"""Every way of adbc-driver-flightsql's DBAPI. Usage: adbc.py grpc://HOST:PORT"""

import datetime
import decimal
import sys
import time

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow as pa

uri = sys.argv[1]


def refused(error, expected, run):
    """`run` fails soon, with this class of error and this text."""
    since = time.monotonic()
    try:
        run()
    except error as caught:
        assert expected in str(caught), f"{caught}, not {expected}"
    else:
        raise AssertionError(f"no error, expected {expected}")
    assert time.monotonic() - since < 60, f"{expected} took too long"


def values(connection):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NULL AS nothing, '營業稅' AS text, CAST(-1.50 AS DECIMAL(20, 2)) AS money, DATE '2024-02-29' AS day, "
            "arrow_cast(to_timestamp('2024-01-01T08:00:00'), 'Timestamp(Microsecond, Some(\"+08:00\"))') AS instant, "
            "[1, NULL, 3] AS list, named_struct('a', 1, 'b', '二') AS record, X'00ff' AS bytes, true AS yes"
        )
        names = [column[0] for column in cursor.description]
        assert names == ["nothing", "text", "money", "day", "instant", "list", "record", "bytes", "yes"], names
        row = dict(zip(names, cursor.fetchone()))
        assert row["nothing"] is None and row["text"] == "營業稅" and row["yes"] is True, row
        assert row["money"] == decimal.Decimal("-1.50"), row
        assert row["day"] == datetime.date(2024, 2, 29), row
        assert row["instant"] == datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), row
        assert row["instant"].utcoffset() == datetime.timedelta(hours=8), row
        assert row["list"] == [1, None, 3] and row["record"] == {"a": 1, "b": "二"}, row
        assert row["bytes"] == b"\x00\xff", row
        assert cursor.fetchone() is None


def fetching(connection):
    with connection.cursor() as cursor:
        sql = "SELECT value FROM generate_series(1, 300000) ORDER BY value"
        cursor.execute(sql)
        assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
        assert len(cursor.fetchall()) == 299_997
        cursor.execute(sql)
        table = cursor.fetch_arrow_table()
        assert table.num_rows == 300_000 and table.column("value").to_pylist() == list(range(1, 300_001))
        cursor.execute(sql)
        reader = cursor.fetch_record_batch()
        assert sum(batch.num_rows for batch in reader) == 300_000
        cursor.execute(sql)
        assert len(cursor.fetch_df()) == 300_000
        cursor.execute(sql)
        assert len(cursor.fetch_polars()) == 300_000
        cursor.execute("SELECT taxpayer_id, name FROM tax.taxpayer WHERE false")
        empty = cursor.fetch_arrow_table()
        assert empty.num_rows == 0 and empty.column_names == ["taxpayer_id", "name"]
        cursor.execute("SELECT count(*) FROM generate_series(1, 2000) a(x) CROSS JOIN generate_series(1, 2000) b(y)")
        assert cursor.fetchall() == [(4_000_000,)]
        schema = cursor.adbc_execute_schema("SELECT count(*) AS n FROM tax.taxpayer")
        assert schema == pa.schema([pa.field("n", pa.int64(), nullable=False)]), schema
        partitions, schema = cursor.adbc_execute_partitions("SELECT 7 AS n")
        cursor.adbc_read_partition(partitions[0])
        assert len(partitions) == 1 and cursor.fetchall() == [(7,)]


def forecast(connection):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT forecast(month, net_collections_million, 12) AS steps "
            "FROM real.tw_tax_monthly WHERE tax_type = 'total'"
        )
        ((steps,),) = cursor.fetchall()
        assert len(steps) == 12 and {"forecast_timestamp", "forecast_value", "lo95", "hi95"} <= set(steps[0]), steps
        assert all(step["lo95"] <= step["forecast_value"] <= step["hi95"] for step in steps)


def prepared(connection):
    with connection.cursor() as cursor:
        cursor.adbc_prepare("SELECT count(*) FROM ref.county")
        for _ in range(3):
            cursor.execute("SELECT count(*) FROM ref.county")
            assert cursor.fetchall() == [(22,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT county_code, ? AS n FROM ref.county WHERE county_code = ?", (7, "63000"))
        assert cursor.fetchall() == [("63000", 7)]
        refused(flight_sql.Error, "0 parameter(s), and 1 value(s)", lambda: cursor.execute("SELECT 1", (1,)))
        update = lambda: cursor.executemany("SELECT 1", [(1,), (2,)])
        refused(flight_sql.Error, "this server only reads", update)


def changes(connection):
    refuses = lambda run: refused(flight_sql.Error, "this server only reads", run)
    with connection.cursor() as cursor:
        refuses(lambda: cursor.execute("CREATE TABLE mine AS SELECT 1"))
        refuses(lambda: cursor.execute("INSERT INTO ref.county SELECT * FROM ref.county"))
        rows = pa.table({"n": list(range(1_000_000))})
        refuses(lambda: cursor.adbc_ingest("mine", rows, mode="create"))
        insert = lambda: cursor.executemany("DELETE FROM ref.county WHERE county_code = ?", [("63000",)] * 1_000)
        refuses(insert)
    try:
        flight_sql.connect(uri, autocommit=False).close()
    except flight_sql.NotSupportedError:
        pass


def errors(connection):
    with connection.cursor() as cursor:
        refused(flight_sql.Error, "tax.taxpayer", lambda: cursor.execute("SELECT * FROM tax.taxpayr"))
        refused(flight_sql.ProgrammingError, "line 1, column 10", lambda: cursor.execute("SELECT * FORM tax.taxpayer"))
        cursor.execute("SELECT CAST(CASE WHEN value = 90000 THEN 'x' ELSE '1' END AS INT) FROM generate_series(1, 100000)")
        refused((flight_sql.Error, OSError), "x", cursor.fetchall)
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)], "the cursor goes on after an error"


def metadata(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "Tithe" and info["driver_name"].startswith("ADBC Flight SQL"), info
    assert connection.adbc_get_table_types() == ["TABLE"]
    schema = connection.adbc_get_table_schema("county", db_schema_filter="ref")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ref.county LIMIT 0")
        assert schema.names == cursor.fetch_arrow_table().schema.names
    refused(flight_sql.Error, "", lambda: connection.adbc_get_table_schema("nowhere", db_schema_filter="ref"))
    (catalog,) = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    assert catalog["catalog_name"] == "tithe"
    schemas = {schema["db_schema_name"]: schema["db_schema_tables"] for schema in catalog["catalog_db_schemas"]}
    county = next(table for table in schemas["ref"] if table["table_name"] == "county")
    assert [column["column_name"] for column in county["table_columns"]] == schema.names
    for depth in ["catalogs", "db_schemas", "tables"]:
        assert connection.adbc_get_objects(depth=depth).read_all().num_rows == 1, depth
    (filtered,) = connection.adbc_get_objects(
        depth="tables", db_schema_filter="ref", table_name_filter="c%", table_types_filter=["TABLE"]
    ).read_all().to_pylist()
    assert [schema["db_schema_name"] for schema in filtered["catalog_db_schemas"]] == ["ref"]


def sessions(connection):
    assert connection.adbc_current_catalog == "tithe"
    assert connection.adbc_current_db_schema == "public"
    connection.adbc_current_db_schema = "ref"
    assert connection.adbc_current_db_schema == "ref"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM county")
        assert cursor.fetchall() == [(22,)]
    with connection.adbc_clone() as other, other.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]


def cursors(connection):
    with connection.cursor() as first, connection.cursor() as second:
        first.execute("SELECT value FROM generate_series(1, 100000) ORDER BY value")
        assert first.fetchone() == (1,)
        second.execute("SELECT count(*) FROM ref.county")
        assert second.fetchall() == [(22,)]
        assert first.fetchone() == (2,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM generate_series(1, 100000000)")
        cursor.fetchone()  # and leave the rest
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM generate_series(1, 100000000)")
        cursor.adbc_cancel()


for check in [values, fetching, forecast, prepared, changes, errors, metadata, sessions, cursors]:
    with flight_sql.connect(uri) as connection:
        check(connection)
for _ in range(20):
    with flight_sql.connect(uri) as connection:
        connection.execute("SELECT 1").close()
print("adbc-driver-flightsql", adbc_driver_flightsql.__version__)
