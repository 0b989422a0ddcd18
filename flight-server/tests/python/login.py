"""adbc-driver-flightsql with TLS and a login. Usage: login.py grpc+tls://HOST:PORT CERTIFICATE NAME PASSWORD"""

import sys
import time

import adbc_driver_flightsql.dbapi as flight_sql
from adbc_driver_flightsql import DatabaseOptions

uri, certificate, name, password = sys.argv[1:]
with open(certificate) as file:
    trusted = {DatabaseOptions.TLS_ROOT_CERTS.value: file.read()}


def ask(**options):
    with flight_sql.connect(uri, db_kwargs={**trusted, **options}) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ref.county")
        return cursor.fetchone()[0]


def refused(expected, run):
    since = time.monotonic()
    try:
        run()
    except flight_sql.Error as error:
        assert expected in str(error), error
        assert password not in str(error), "the password is in the error"
    else:
        raise AssertionError(f"no error, expected {expected}")
    assert time.monotonic() - since < 20


assert ask(username=name, password=password) == 22
refused("the user name or the password is wrong", lambda: ask(username=name, password="x" + password))
refused("connect with a user name and password", lambda: ask())
trusted = {}
refused("certificate", lambda: ask(username=name, password=password))
trusted = {DatabaseOptions.TLS_SKIP_VERIFY.value: "true"}
assert ask(username=name, password=password) == 22
print("logged in")
