"""Connections for the ADBC driver validation suite."""

import adbc_driver_flightsql
import adbc_driver_manager.dbapi
import pytest
from adbc_drivers_validation.tests.conftest import *  # noqa: F403
from tithe_quirks import QUIRKS


@pytest.fixture(scope="session")
def driver():
    return QUIRKS[0]


@pytest.fixture(scope="session")
def driver_path():
    return adbc_driver_flightsql._driver_path()


class Statement:
    """Prepares before values are bound: what is bound before, the Flight SQL driver forgets."""

    def __init__(self, statement):
        self.inner, self.is_query, self.is_prepared = statement, False, False

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def set_sql_query(self, sql):
        self.is_query, self.is_prepared = True, False
        self.inner.set_sql_query(sql)

    def prepare(self):
        if not self.is_prepared:
            self.inner.prepare()
        self.is_prepared = True

    def bind(self, *values):
        if self.is_query:
            self.prepare()
        self.inner.bind(*values)


class Cursor:
    def __init__(self, cursor):
        self.inner, self.adbc_statement = cursor, Statement(cursor.adbc_statement)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __enter__(self):
        self.inner.__enter__()
        return self

    def __exit__(self, *what):
        return self.inner.__exit__(*what)


@pytest.fixture(scope="session")
def conn_factory(driver_path, db_kwargs):
    def connect():
        connection = adbc_driver_manager.dbapi.connect(driver=driver_path, db_kwargs=db_kwargs, autocommit=True)
        # TIMESTAMP WITH TIME ZONE is an instant in the time zone of the session.
        connection.adbc_connection.set_options(**{"adbc.flight.sql.session.option.time_zone": "UTC"})
        plain = connection.cursor
        connection.cursor = lambda *_arguments, **_named: Cursor(plain())
        return connection

    return connect
