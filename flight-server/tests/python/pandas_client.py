"""pandas over ADBC. Usage: pandas_client.py grpc://HOST:PORT"""

import datetime
import decimal
import sys

import adbc_driver_flightsql.dbapi as flight_sql
import pandas

with flight_sql.connect(sys.argv[1]) as connection:
    frame = pandas.read_sql(
        "SELECT NULL AS nothing, '營業稅' AS text, CAST(-1.50 AS DECIMAL(20, 2)) AS money, DATE '2024-02-29' AS day, "
        "arrow_cast(to_timestamp('2024-01-01T00:00:00'), 'Timestamp(Microsecond, Some(\"UTC\"))') AS instant",
        connection,
    )
    row = frame.iloc[0]
    assert pandas.isna(row["nothing"]) and row["text"] == "營業稅", row
    assert row["money"] == decimal.Decimal("-1.50") and row["day"] == datetime.date(2024, 2, 29), row
    assert row["instant"] == pandas.Timestamp("2024-01-01", tz="UTC"), row
    assert pandas.read_sql_query("SELECT count(*) AS n FROM ref.county", connection)["n"].tolist() == [22]
    assert pandas.read_sql("SELECT name FROM tax.taxpayer WHERE false", connection).shape == (0, 1)
    large = pandas.read_sql("SELECT value FROM generate_series(1, 300000)", connection)
    assert len(large) == 300_000 and int(large["value"].sum()) == 300_000 * 300_001 // 2
    arrow_types = pandas.read_sql("SELECT name_zh FROM ref.county", connection, dtype_backend="pyarrow")
    assert len(arrow_types) == 22
    # pandas does not pass the schema of read_sql_table on to an ADBC connection.
    connection.adbc_current_db_schema = "ref"
    assert len(pandas.read_sql_table("county", connection)) == 22
    try:
        pandas.DataFrame({"n": [1]}).to_sql("mine", connection, index=False)
    except Exception as error:
        assert "this server only reads" in str(error.__cause__), error.__cause__
    else:
        raise AssertionError("to_sql was not refused")
    try:
        pandas.read_sql("SELECT * FROM tax.taxpayr", connection)
    except Exception as error:
        assert "tax.taxpayer" in str(error), error
    else:
        raise AssertionError("no error")
print("pandas", pandas.__version__)
