"""polars, by connection string and by connection. Usage: polars_client.py HOST:PORT"""

import datetime
import decimal
import sys

import adbc_driver_flightsql.dbapi as flight_sql
import polars

address = sys.argv[1]

VALUES = (
    "SELECT NULL AS nothing, '營業稅' AS text, CAST(-1.50 AS DECIMAL(20, 2)) AS money, DATE '2024-02-29' AS day, "
    "arrow_cast(to_timestamp('2024-01-01T00:00:00'), 'Timestamp(Microsecond, Some(\"UTC\"))') AS instant, "
    "[1, NULL, 3] AS list, named_struct('a', 1, 'b', '二') AS record"
)
FORECAST = (
    "SELECT forecast(month, net_collections_million, 12) AS steps FROM real.tw_tax_monthly WHERE tax_type = 'total'"
)


def check(read):
    (row,) = read(VALUES).to_dicts()
    assert row == {
        "nothing": None,
        "text": "營業稅",
        "money": decimal.Decimal("-1.50"),
        "day": datetime.date(2024, 2, 29),
        "instant": datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        "list": [1, None, 3],
        "record": {"a": 1, "b": "二"},
    }, row
    assert read("SELECT taxpayer_id, name FROM tax.taxpayer WHERE false").shape == (0, 2)
    large = read("SELECT value FROM generate_series(1, 300000)")
    assert large.height == 300_000 and large["value"].sum() == 300_000 * 300_001 // 2
    steps = read(FORECAST).explode("steps").unnest("steps")
    assert steps.height == 12 and "forecast_value" in steps.columns, steps
    try:
        read("SELECT * FROM tax.taxpayr")
    except Exception as error:
        assert "tax.taxpayer" in str(error), error
    else:
        raise AssertionError("no error")


uri = f"flightsql://{address}?transport=tcp"
check(lambda sql: polars.read_database_uri(sql, uri, engine="adbc"))
with flight_sql.connect(f"grpc://{address}") as connection:
    check(lambda sql: polars.read_database(sql, connection))
print("polars", polars.__version__)
