"""Times tax queries in Tithe, DuckDB, Polars and DataFusion over the same Parquet files, taking turns, and checks the answers.

    cargo build --release -p tithe -p tithe-benches
    python3 benches/compare/compare.py --lake LAKE [--engines tithe,flight,duckdb,polars,datafusion] [--runs 5] [--threads 2]

For each query the engines answer in turn, in another order each round, so that what disturbs the machine disturbs all. The
first round is cold for the engine (not for the operating system's cache) and is given apart. Prints a Markdown table:
median milliseconds of the other rounds, and the ratio to DuckDB; below it geometric means and peak memory. Exits
with 1 when answers differ.
"""

import argparse
import decimal
import json
import math
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib.metadata import version

import pyarrow
import pyarrow.ipc

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TABLES = ["invoice.header", "invoice.item", "tax.taxpayer", "tax.vat_return", "tax.withholding", "tax.revenue_monthly"]


def files(lake, table):
    folder = pathlib.Path(lake, *table.split("."))
    return str(folder / "**" / "*.parquet"), any(folder.glob("*=*"))


def flat(sql):
    for table in TABLES:
        sql = sql.replace(table, table.replace(".", "_"))
    return sql


class Tithe:
    """In a process of its own, over a pipe; the time is taken there."""

    def __init__(self, lake, threads, binaries):
        self.version = ""
        self.process = subprocess.Popen(
            [binaries / "lines", lake, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, sql):
        with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
            self.process.stdin.write(json.dumps({"sql": sql, "into": file.name}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            if "error" in answer:
                raise RuntimeError(answer["error"])
            with pyarrow.ipc.open_stream(file.name) as reader:
                return answer["seconds"], reader.read_all()

    def peak(self):
        return peak_of(self.process.pid)


class Flight:
    """As users reach it: a server on loopback, and ADBC."""

    def __init__(self, lake, threads, binaries):
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
        self.connection = flight_sql.connect(line.split()[-1])

    def run(self, sql):
        since = time.perf_counter()
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            table = cursor.fetch_arrow_table()
        return time.perf_counter() - since, table

    def peak(self):
        return peak_of(self.process.pid)


class DuckDb:
    def __init__(self, lake, threads, _binaries):
        import duckdb

        self.version = duckdb.__version__
        self.connection = duckdb.connect(config={"threads": threads})
        for table in TABLES:
            path, hive = files(lake, table)
            self.connection.execute(
                f"CREATE VIEW {flat(table)} AS SELECT * FROM read_parquet('{path}', hive_partitioning={str(hive).lower()})"
            )

    def run(self, sql):
        since = time.perf_counter()
        table = self.connection.execute(flat(sql)).to_arrow_table()
        return time.perf_counter() - since, table


class Polars:
    def __init__(self, lake, _threads, _binaries):
        import polars

        self.version = polars.__version__
        self.context = polars.SQLContext()
        for table in TABLES:
            path, hive = files(lake, table)
            self.context.register(flat(table), polars.scan_parquet(path, hive_partitioning=hive))

    def run(self, sql):
        since = time.perf_counter()
        table = self.context.execute(flat(sql)).collect(engine="streaming").to_arrow()
        return time.perf_counter() - since, table


class DataFusion:
    def __init__(self, lake, threads, _binaries):
        import datafusion

        self.version = version("datafusion")
        self.context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))
        for table in TABLES:
            path, hive = files(lake, table)
            columns = [("period", pyarrow.string())] if hive else []
            self.context.register_parquet(flat(table), path.split("**")[0], table_partition_cols=columns)

    def run(self, sql):
        since = time.perf_counter()
        table = self.context.sql(flat(sql)).to_arrow_table()
        return time.perf_counter() - since, table


ENGINES = {"tithe": Tithe, "flight": Flight, "duckdb": DuckDb, "polars": Polars, "datafusion": DataFusion}


def peak_of(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return math.nan


def plain(value):
    """Numbers to nine digits whatever their type: engines add doubles in their own order."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, (int, float, decimal.Decimal)):
        return f"{float(value):.9g}"
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return str(value)


def answer(table, unordered):
    rows = [tuple(plain(value) for value in row.values()) for row in table.to_pylist()]
    return sorted(rows) if unordered else rows




def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--engines", default="tithe,flight,duckdb,polars,datafusion")
    parser.add_argument("--runs", type=int, default=5, help="rounds after the cold one")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--queries", default=str(HERE / "queries.toml"))
    parser.add_argument("--only", default="", help="names of queries, with commas between")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target" / "release")
    options = parser.parse_args()
    # Before Polars is loaded: it reads this once.
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    queries = tomllib.loads(pathlib.Path(options.queries).read_text())["query"]
    queries = [query for query in queries if not options.only or query["name"] in options.only.split(",")]
    names = options.engines.split(",")
    engines = {name: ENGINES[name](options.lake, options.threads, options.binaries) for name in names}
    turn = random.Random(1)
    times, cold, wrong = {name: {} for name in names}, {name: {} for name in names}, []
    for query in queries:
        answers = {}
        for round_number in range(options.runs + 1):
            for name in turn.sample(names, len(names)):
                try:
                    seconds, table = engines[name].run(query["sql"])
                except Exception as error:  # An engine that cannot answer one query still takes part in the others.
                    if round_number == 0:
                        print(f"{query['name']}: {name} cannot: {str(error).splitlines()[0][:150]}", file=sys.stderr)
                    continue
                if round_number == 0:
                    cold[name][query["name"]] = seconds
                    answers[name] = answer(table, query.get("unordered", False))
                else:
                    times[name].setdefault(query["name"], []).append(seconds)
        reference = next(iter(answers.values()), None)
        for name, rows in answers.items():
            if rows != reference:
                wrong.append(f"{query['name']}: {name} differs from {next(iter(answers))}: {rows[:2]} and {reference[:2]}")
        print(f"{query['name']} done", file=sys.stderr)

    median = {name: {q: statistics.median(t) for q, t in times[name].items()} for name in names}
    base = "duckdb" if "duckdb" in names else names[0]
    print(f"| query | {' | '.join(names)} | {' | '.join(f'{name} / {base}' for name in names if name != base)} |")
    print(f"|---|{'---:|' * (2 * len(names) - 1)}")
    ratios = {name: [] for name in names}
    for query in queries:
        cells, shares = [], []
        for name in names:
            value = median[name].get(query["name"])
            cells.append("–" if value is None else f"{value * 1000:.1f}")
            if name != base:
                reference = median[base].get(query["name"])
                ratio = value / reference if value and reference else None
                shares.append("–" if ratio is None else f"{ratio:.2f}")
                if ratio:
                    ratios[name].append(ratio)
        print(f"| {query['name']} | {' | '.join(cells)} | {' | '.join(shares)} |")
    print()
    for name in names:
        described = [f"{len(median[name])} queries"]
        if ratios[name]:
            mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios[name]))
            described.append(f"geometric mean {mean:.2f} of {base}, at most {max(ratios[name]):.2f}")
        if cold[name]:
            first = sum(cold[name].values()) / max(sum(median[name].values()), 1e-9)
            described.append(f"first round {first:.2f} times the others")
        if hasattr(engines[name], "peak"):
            described.append(f"peak memory {engines[name].peak():.0f} MiB")
        print(f"{name} {engines[name].version}".strip() + ": " + "; ".join(described))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process, with the engines that run in it: {own:.0f} MiB")
    for line in wrong:
        print(line, file=sys.stderr)
    for engine in engines.values():
        if hasattr(engine, "process"):
            engine.process.terminate()
    sys.exit(1 if wrong else 0)


main()
