"""Times queries in Tithe, DuckDB, ClickHouse, Polars and DataFusion over the same Parquet files, taking turns, and checks the
answers.

    cargo build --release -p tithe -p tithe-benches
    python3 benches/compare/compare.py --lake LAKE [--set tax|tpch|clickbench] [--engines tithe,flight,duckdb,clickhouse,polars,datafusion]
        [--runs 5] [--threads 2]

`tax` are the queries of queries.toml over the sample lake. `tpch` are TPC-H's 22 over LAKE/tpch, made by
`tpchgen-cli --scale-factor SCALE --format parquet`, one folder a table (benches/compare/tpch_lake.py does it); give the same SCALE
here. `clickbench` are ClickBench's 43, from `--queries FILE`, over LAKE/web/hits, made by benches/compare/hits.py.

For each query the engines answer in turn, in another order each round, so that what disturbs the machine disturbs all. The
first round is cold for the engine (not for the operating system's cache). Prints two Markdown tables: median milliseconds of
the other rounds with the ratio to DuckDB, and the same of the first; below each geometric means, at the end the peak memory of
each engine, which all have processes of their own. Exits with 1 when answers differ.
"""

import argparse
import math
import os
import pathlib
import random
import statistics
import sys

import answers
import engines
import sets

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--set", choices=["tax", "tpch", "clickbench"], default="tax")
    parser.add_argument("--engines", default=",".join(engines.NAMES))
    parser.add_argument("--runs", type=int, default=5, help="rounds after the cold one")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--scale", type=float, default=1.0, help="the scale factor of the TPC-H lake")
    parser.add_argument("--queries", help="other queries for the tables of the set")
    parser.add_argument("--only", default="", help="names of queries, with commas between")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target" / "release")
    return parser.parse_args()


class Comparison:
    def __init__(self, opened):
        self.engines = opened
        self.cold = {name: {} for name in opened}
        self.hot = {name: {} for name in opened}
        self.wrong = []

    def ask(self, name, query, first):
        sql = query.get(name, query["sql"])
        try:
            return self.engines[name].run(sql)
        except Exception as error:  # An engine that cannot answer one query still takes part in the others.
            if first:
                print(f"{query['name']}: {name} cannot: {str(error).splitlines()[0][:150]}", file=sys.stderr)
            return None

    def run(self, query, rounds, turn):
        given = {}
        for round_number in range(rounds + 1):
            for name in turn.sample(list(self.engines), len(self.engines)):
                answer = self.ask(name, query, round_number == 0)
                if answer is None:
                    continue
                seconds, table = answer
                if round_number == 0:
                    self.cold[name][query["name"]] = seconds
                    given[name] = answers.rows(table, query.get("unordered", False))
                else:
                    self.hot[name].setdefault(query["name"], []).append(seconds)
        self.check(query, given)

    def check(self, query, given):
        if len({tuple(rows) for rows in given.values()}) <= 1:
            return
        lengths = {len(rows) for rows in given.values()}
        if query.get("ties") and len(lengths) == 1:
            # Which rows of equal rank are given is nobody's fault: all rows must be the same.
            wholes = {name: {**query, name: answers.without_limit(query.get(name, query["sql"]))} for name in given}
            tables = {name: self.ask(name, whole, True) for name, whole in wholes.items()}
            given = {name: answers.rows(table[1], True) for name, table in tables.items() if table}
        reference = next(iter(given))
        for name, rows in given.items():
            if rows == given[reference]:
                continue
            pairs = ((mine, its) for mine, its in zip(rows, given[reference]) if mine != its)
            shown = next(pairs, (f"{len(rows)} rows", f"{len(given[reference])} rows"))
            self.wrong.append(f"{query['name']}: {name} has {shown[0]}, {reference} {shown[1]}")

    def table(self, title, queries, times):
        names = list(self.engines)
        base = "duckdb" if "duckdb" in names else names[0]
        others = [name for name in names if name != base]
        print(f"{title}\n")
        print(f"| query | {' | '.join(names)} | {' | '.join(f'{name} / {base}' for name in others)} |")
        print(f"|---|{'---:|' * (2 * len(names) - 1)}")
        for query in queries:
            values = [times[name].get(query["name"]) for name in names]
            ratios = [ratio(times, name, base, query["name"]) for name in others]
            cells = ["–" if value is None else f"{value * 1000:.1f}" for value in values]
            cells += ["–" if value is None else f"{value:.2f}" for value in ratios]
            print(f"| {query['name']} | {' | '.join(cells)} |")
        print()
        for name in names:
            described = [f"{len(times[name])} queries"]
            ratios = [ratio(times, name, base, query["name"]) for query in queries] if name != base else []
            ratios = [value for value in ratios if value]
            if ratios:
                mean = math.exp(statistics.fmean(math.log(value) for value in ratios))
                described.append(f"geometric mean {mean:.2f} of {base}, at most {max(ratios):.2f}")
            print(f"{name} {self.engines[name].version}".strip() + ": " + "; ".join(described))
        print()


def ratio(times, name, base, query):
    own, reference = times[name].get(query), times[base].get(query)
    return own / reference if own and reference else None


def main():
    options = arguments()
    tables = sets.load(options)
    queries = [query for query in tables.queries if not options.only or query["name"] in options.only.split(",")]
    opened = {
        name: engines.opened(name, options.lake, tables, options.threads, options.binaries)
        for name in options.engines.split(",")
    }
    comparison, turn = Comparison(opened), random.Random(1)
    for query in queries:
        comparison.run(query, options.runs, turn)
        print(f"{query['name']} done", file=sys.stderr)
    hot = {name: {q: statistics.median(t) for q, t in times.items()} for name, times in comparison.hot.items()}
    if options.runs:
        comparison.table(f"Median of {options.runs} rounds, milliseconds:", queries, hot)
    comparison.table("First round, milliseconds:", queries, comparison.cold)
    for name, engine in opened.items():
        print(f"peak memory of {name}: {engine.peak():.0f} MiB")
    for line in comparison.wrong:
        print(line, file=sys.stderr)
    for engine in opened.values():
        engine.process.terminate()
    sys.exit(1 if comparison.wrong else 0)


main()
