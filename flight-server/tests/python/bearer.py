"""adbc-driver-flightsql with a token of an identity provider. Usage: bearer.py grpc+tls://HOST:PORT CERTIFICATE TOKEN..."""

import sys

import adbc_driver_flightsql.dbapi as flight_sql
from adbc_driver_flightsql import DatabaseOptions

uri, certificate, *tokens = sys.argv[1:]
with open(certificate) as file:
    trusted = {DatabaseOptions.TLS_ROOT_CERTS.value: file.read()}


def ask(token):
    options = {**trusted, DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}"}
    with flight_sql.connect(uri, db_kwargs=options) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ref.county")
        return cursor.fetchone()[0]


for token in tokens:
    assert ask(token) == 22
header, claims, signature = tokens[0].split(".")
try:
    ask(f"{header}.{claims}.{signature[::-1]}")
except flight_sql.Error as error:
    assert "the token is refused" in str(error), error
    assert claims not in str(error), "the token is in the error"
else:
    raise AssertionError("a changed signature is accepted")
print(f"logged in with {len(tokens)} tokens")
