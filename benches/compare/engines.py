"""The engines: each is opened on a lake with the tables of a set, and gives the seconds and the rows of a query."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version

import pyarrow
import pyarrow.ipc

from sets import Set


def peak_of(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return math.nan


class Process:
    """An engine in a process of its own, asked over a pipe; the time is taken there."""

    version = ""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql):
        with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
            self.process.stdin.write(json.dumps({"sql": sql, "into": file.name}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or '{"error": "its process has ended"}')
            if "error" in answer:
                raise RuntimeError(answer["error"])
            with pyarrow.ipc.open_stream(file.name) as reader:
                return answer["seconds"], reader.read_all()

    def peak(self):
        return peak_of(self.process.pid)


class Tithe(Process):
    def __init__(self, lake, tables, threads, binaries):
        schema = [tables.schema] if tables.schema else []
        super().__init__([binaries / "lines", lake, str(threads), *schema])


class Flight:
    """As users reach it: a server on loopback, and ADBC."""

    def __init__(self, lake, tables, threads, binaries):
        import adbc_driver_flightsql.dbapi as flight_sql

        self.version = ""
        self.process = subprocess.Popen(
            # Every round is to be computed, as in the other engines.
            [binaries / "tithe", "serve", "--lake", lake, "--threads", str(threads), "--listen", "127.0.0.1:0",
             "--result-cache", "0"],
            stderr=subprocess.PIPE, text=True,
        )
        for line in self.process.stderr:
            if line.startswith("serving "):
                break
        # It logs each query, and would wait for somebody to read that.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        # A setting holds for those who send the server's cookie back.
        self.connection = flight_sql.connect(
            line.split()[-1], db_kwargs={"adbc.flight.sql.rpc.with_cookie_middleware": "true"}
        )
        if tables.schema:
            self.connection.adbc_current_db_schema = tables.schema

    def run(self, sql):
        since = time.perf_counter()
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            table = cursor.fetch_arrow_table()
        return time.perf_counter() - since, table

    def peak(self):
        return peak_of(self.process.pid)


class DuckDb:
    def __init__(self, lake, tables, threads):
        import duckdb

        self.version = duckdb.__version__
        self.flat = tables.flat
        self.connection = duckdb.connect(config={"threads": threads})
        for table in tables.tables:
            path, hive = tables.files(lake, table)
            self.connection.execute(
                f"CREATE VIEW {self.flat(table)} AS SELECT * FROM read_parquet('{path}', hive_partitioning={str(hive).lower()})"
            )

    def run(self, sql):
        since = time.perf_counter()
        table = self.connection.sql(self.flat(sql)).to_arrow_table()
        return time.perf_counter() - since, table


class Polars:
    def __init__(self, lake, tables, _threads):
        import polars

        self.version = polars.__version__
        self.flat = tables.flat
        self.context = polars.SQLContext()
        for table in tables.tables:
            path, hive = tables.files(lake, table)
            self.context.register(self.flat(table), polars.scan_parquet(path, hive_partitioning=hive))

    def run(self, sql):
        since = time.perf_counter()
        table = self.context.execute(self.flat(sql)).collect(engine="streaming").to_arrow()
        return time.perf_counter() - since, table


class DataFusion:
    def __init__(self, lake, tables, threads):
        import datafusion

        self.version = version("datafusion")
        self.flat = tables.flat
        self.context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))
        for table in tables.tables:
            path, hive = tables.files(lake, table)
            columns = [("period", pyarrow.string())] if hive else []
            self.context.register_parquet(self.flat(table), path.split("**")[0], table_partition_cols=columns)

    def run(self, sql):
        since = time.perf_counter()
        table = self.context.sql(self.flat(sql)).to_arrow_table()
        return time.perf_counter() - since, table


class ClickHouse:
    """As a library, chdb. Told to treat NULL and names as the SQL standard does."""

    SETTINGS = {
        "join_use_nulls": 1,
        "cast_keep_nullable": 1,
        "aggregate_functions_null_for_empty": 1,
        "prefer_column_name_to_alias": 1,
        "union_default_mode": "'DISTINCT'",
        "output_format_arrow_string_as_string": 1,
    }

    def __init__(self, lake, tables, threads):
        import chdb

        self.version = f"{version('chdb')} ({chdb.engine_version})"
        self.flat = tables.flat
        self.connection = chdb.connect(":memory:")
        for name, value in {**self.SETTINGS, "max_threads": threads}.items():
            self.connection.query(f"SET {name} = {value}")
        for table in tables.tables:
            path, hive = tables.files(lake, table)
            self.connection.query(
                f"CREATE VIEW {self.flat(table)} AS SELECT * FROM file('{path}', Parquet) "
                f"SETTINGS use_hive_partitioning = {int(hive)}"
            )

    def run(self, sql):
        since = time.perf_counter()
        table = self.connection.query(self.flat(sql), "arrowtable")
        return time.perf_counter() - since, table


LIBRARIES = {"duckdb": DuckDb, "clickhouse": ClickHouse, "polars": Polars, "datafusion": DataFusion}


class Library(Process):
    """A library for Python, in a process of its own so that its memory is its own."""

    def __init__(self, name, lake, tables, threads):
        super().__init__([sys.executable, __file__, name, lake, str(threads)])
        self.process.stdin.write(json.dumps({"tables": tables.tables, "schema": tables.schema}) + "\n")
        self.process.stdin.flush()
        opened = self.process.stdout.readline()
        if not opened:
            raise SystemExit(f"{name} cannot be opened: what it says stands above")
        self.version = json.loads(opened)["version"]


def opened(name, lake, tables, threads, binaries):
    match name:
        case "tithe":
            return Tithe(lake, tables, threads, binaries)
        case "flight":
            return Flight(lake, tables, threads, binaries)
        case _:
            return Library(name, lake, tables, threads)


NAMES = ["tithe", "flight", *LIBRARIES]


def serve(name, lake, threads):
    """Answers as benches/src/bin/lines.rs does."""
    # Before Polars is loaded: it reads this once.
    os.environ["POLARS_MAX_THREADS"] = threads
    tables = Set(queries=[], **json.loads(sys.stdin.readline()))
    # What a library prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    engine = LIBRARIES[name](lake, tables, int(threads))
    print(json.dumps({"version": engine.version}), file=answers, flush=True)
    for line in sys.stdin:
        statement = json.loads(line)
        try:
            seconds, table = engine.run(statement["sql"])
            with pyarrow.ipc.new_stream(statement["into"], table.schema) as writer:
                writer.write_table(table)
            answer = {"seconds": seconds, "rows": table.num_rows}
        except Exception as error:  # It is for the one who asks to say.
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
