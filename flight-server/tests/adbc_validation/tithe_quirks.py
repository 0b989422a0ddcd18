"""What the ADBC driver validation suite has to know of Tithe behind the Flight SQL driver."""

import re
from pathlib import Path

from adbc_drivers_validation import model, quirks


class Tithe(model.DriverQuirks):
    name = "tithe"
    driver = "adbc_driver_flightsql"
    driver_name = "ADBC Flight SQL Driver - Go"
    vendor_name = "tithe"
    vendor_version = re.compile(r"\d+\.\d+\.\d+")
    short_version = "0.1"
    features = model.DriverFeatures(
        connection_get_table_schema=True,
        connection_set_current_schema=True,
        get_objects=True,
        statement_bind=True,
        statement_bulk_ingest=True,
        statement_bulk_ingest_schema=True,
        statement_execute_schema=True,
        statement_get_parameter_schema=True,
        statement_prepare=True,
        statement_rows_affected=True,
        statement_rows_affected_ddl=True,
        current_catalog="tithe",
        current_schema="public",
        secondary_schema="other",
        quirk_foundry=False,
    )
    setup = model.DriverSetup(database={"uri": model.FromEnv("TITHE_URI")})

    @property
    def queries_paths(self):
        return (Path(__file__).parent / "queries",)

    def bind_parameter(self, index):
        return f"${index}"

    def is_table_not_found(self, table_name, error):
        return "does not exist" in str(error) and (table_name or "") in str(error)

    def split_statement(self, statement):
        return quirks.split_statement(re.sub(r"--.*$", "", statement, flags=re.MULTILINE))


QUIRKS = [Tithe()]
