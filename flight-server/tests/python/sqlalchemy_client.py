"""SQLAlchemy by flightsql-dbapi, as Superset uses it. Usage: sqlalchemy_client.py HOST:PORT"""

import importlib.metadata
import sys

import flightsql.sqlalchemy  # makes the dialect known
import sqlalchemy

engine = sqlalchemy.create_engine(f"datafusion+flightsql://{sys.argv[1]}?insecure=true")
with engine.connect() as connection:
    assert connection.execute(sqlalchemy.text("SELECT count(*) FROM ref.county")).scalar() == 22
    rows = connection.execute(sqlalchemy.text("SELECT name_zh FROM ref.county WHERE county_code = '63000'")).fetchall()
    assert [tuple(row) for row in rows] == [("臺北市",)], rows
    inspector = sqlalchemy.inspect(connection)
    assert {"ref", "tax", "invoice"} <= set(inspector.get_schema_names())
    assert "county" in inspector.get_table_names(schema="ref")
    columns = [column["name"] for column in inspector.get_columns("county", schema="ref")]
    assert columns[:2] == ["county_code", "id_letter"], columns
    try:
        connection.execute(sqlalchemy.text("SELECT * FROM tax.taxpayr"))
    except Exception as error:
        assert "tax.taxpayer" in str(error), error
    else:
        raise AssertionError("no error")
print("flightsql-dbapi", f"{importlib.metadata.version('flightsql-dbapi')} with SQLAlchemy {sqlalchemy.__version__}")
