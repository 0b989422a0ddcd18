"""Writing tables by ADBC, pandas and polars, on a server that writes. Usage: writing.py HOST:PORT"""

import sys

import adbc_driver_flightsql.dbapi as flight_sql
import pandas
import polars
import pyarrow as pa

address = sys.argv[1]
TABLE = pa.table({"n": [1, 2, 3], "word": ["一", None, "三"], "day": pa.array([0, 1, None], pa.date32())})


def value(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def refused(expected, run):
    try:
        run()
    except Exception as error:
        told = f"{error} {error.__cause__ or ''}"
        assert expected in told, told
    else:
        raise AssertionError(f"no error, expected {expected}")


def adbc(connection):
    with connection.cursor() as cursor:
        assert cursor.adbc_ingest("t", TABLE, mode="create", db_schema_name="adbc") == 3
        refused("exists already", lambda: cursor.adbc_ingest("t", TABLE, mode="create", db_schema_name="adbc"))
        assert cursor.adbc_ingest("t", TABLE, mode="append", db_schema_name="adbc") == 3
        assert cursor.adbc_ingest("t", TABLE.to_reader(1), mode="create_append", db_schema_name="adbc") == 3
        assert value(connection, "SELECT count(*) FROM adbc.t") == 9
        assert cursor.adbc_ingest("t", TABLE, mode="replace", db_schema_name="adbc") == 3
        cursor.execute("SELECT * FROM adbc.t ORDER BY n")
        assert cursor.fetch_arrow_table().to_pylist() == TABLE.to_pylist()
        refused("does not exist", lambda: cursor.adbc_ingest("absent", TABLE, mode="append", db_schema_name="adbc"))
        refused("temporary", lambda: cursor.adbc_ingest("x", TABLE, mode="create", temporary=True))
        other = pa.table({"n": ["x"], "word": ["y"], "day": pa.array([0], pa.date32())})
        refused("do not fit", lambda: cursor.adbc_ingest("t", other, mode="append", db_schema_name="adbc"))
        large = pa.table({"n": list(range(1_000_000))})
        assert cursor.adbc_ingest("large", large, mode="create", db_schema_name="adbc") == 1_000_000
        assert value(connection, "SELECT sum(n) FROM adbc.large") == 999_999 * 500_000

        cursor.execute("CREATE TABLE adbc.made (n BIGINT, word VARCHAR)")
        cursor.executemany("INSERT INTO adbc.made VALUES (?, ?)", [(n, f"稅 {n}") for n in range(1_000)])
        assert cursor.rowcount == 1_000, cursor.rowcount
        cursor.execute("INSERT INTO adbc.made VALUES (?, ?)", (5_000, None))
        cursor.execute("INSERT INTO adbc.made SELECT n + 10000, word FROM adbc.made WHERE n < 2")
        assert value(connection, "SELECT count(*) FROM adbc.made") == 1_003
        cursor.execute("DROP TABLE adbc.made")
        refused("does not exist", lambda: cursor.execute("SELECT * FROM adbc.made"))
        refused("is not allowed", lambda: cursor.execute("CREATE VIEW v AS SELECT 1"))
    names = {table["table_name"]
             for catalog in connection.adbc_get_objects(depth="tables").read_all().to_pylist()
             for schema in catalog["catalog_db_schemas"] for table in schema["db_schema_tables"]}
    assert {"t", "large"} <= names and "made" not in names, names
    assert connection.adbc_get_table_schema("t", db_schema_filter="adbc").names == TABLE.column_names


def of_pandas(connection):
    frame = pandas.DataFrame({"n": [1, 2], "word": ["a", "b"]})
    for table in [dict(name="plain"), dict(name="t", schema="pandas")]:
        assert frame.to_sql(con=connection, index=False, **table) == 2
        assert frame.to_sql(con=connection, index=False, if_exists="append", **table) == 2
        name = ".".join(filter(None, [table.get("schema"), table["name"]]))
        assert value(connection, f"SELECT count(*) FROM {name}") == 4
        assert frame.to_sql(con=connection, index=False, if_exists="replace", **table) == 2
        read = pandas.read_sql(f"SELECT * FROM {name} ORDER BY n", connection)
        assert read.to_dict("list") == frame.to_dict("list"), read
        refused("exists", lambda: frame.to_sql(con=connection, index=False, **table))


def of_polars(connection):
    frame = polars.DataFrame({"n": [1, 2], "word": ["一", None], "list": [[1], [2, 3]]})
    uri = f"flightsql://{address}?transport=tcp"
    for to in [uri, connection]:
        assert frame.write_database("polars.t", to, engine="adbc", if_table_exists="replace") == 2
        assert frame.write_database("polars.t", to, engine="adbc", if_table_exists="append") == 2
        read = polars.read_database_uri("SELECT * FROM polars.t ORDER BY n", uri, engine="adbc")
        assert read.to_dicts() == [row for row in frame.to_dicts() for _ in range(2)], read
        refused("exists", lambda: frame.write_database("polars.t", to, engine="adbc", if_table_exists="fail"))


for check in [adbc, of_pandas, of_polars]:
    with flight_sql.connect(f"grpc://{address}") as connection:
        check(connection)
print("wrote")
