"""How the time and memory of Tithe's tax queries grow with the data.

    python3 benches/compare/growth.py 0.1=LAKE_A 1=LAKE_B 3=LAKE_C [--runs 3] [--threads 2] [--only NAMES]

Each lake is named by its scale; one that is not there is made by `tithe gen --scale SCALE --seed 7`. A process a query and lake:
median milliseconds of the rounds after the first, peak MiB of the process, and both for each million rows of invoice.item; then the
time a row at the largest scale over that at each other one (1 = linear, less = better), in the mean over all queries last. Only
what is above what a process takes that does nothing counts as memory.
"""

import argparse
import math
import os
import pathlib
import statistics
import subprocess
import sys

import pyarrow.parquet

import engines
import sets

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = "invoice.item"


def rows_of(tables, lake):
    files = tables.folder(lake, ROWS).rglob("*.parquet")
    return sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)


def measured(lake, tables, options, sql):
    """Seconds and MiB."""
    engine = engines.Tithe(lake, tables, options.threads, options.binaries)
    try:
        engine.run("SELECT 1")
        idle = engine.peak()
        times = [engine.run(sql)[0] for _ in range(options.runs + 1)][1:]
        return statistics.median(times), engine.peak() - idle
    finally:
        engine.process.terminate()
        engine.process.wait()


def geometric(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lakes", nargs="+", metavar="SCALE=LAKE")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="names of queries, with commas between")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target" / "release")
    options = parser.parse_args()
    lakes = sorted(((float(scale), lake) for scale, lake in (named.split("=", 1) for named in options.lakes)))
    for scale, lake in lakes:
        if not pathlib.Path(lake).exists():
            making = [options.binaries / "tithe", "gen", "--scale", f"{scale:g}", "--seed", "7", "--out", lake]
            subprocess.run(making, check=True)
    queries = sets.written(sets.HERE / "queries.toml")
    queries = [query for query in queries if not options.only or query["name"] in options.only.split(",")]
    tables = sets.Set(sets.TAX, None, queries)
    millions = [rows_of(tables, lake) / 1e6 for _scale, lake in lakes]
    names = [f"{scale:g}" for scale, _lake in lakes]
    print("rows of " + ROWS + ": " + ", ".join(f"{rows:.1f} million at scale {n}" for rows, n in zip(millions, names)), "\n")
    heads = [f"{kind} {name}" for kind in ("ms", "ms/M", "MiB", "MiB/M") for name in names]
    heads += [f"{kind} {names[-1]} / {name}" for kind in ("time a row", "memory a row") for name in names[:-1]]
    print(f"| query | {' | '.join(heads)} |")
    print(f"|---|{'---:|' * len(heads)}")
    ratios = {"time": {name: [] for name in names[:-1]}, "memory": {name: [] for name in names[:-1]}}
    for query in queries:
        found = [measured(lake, tables, options, query["sql"]) for _scale, lake in lakes]
        times, memory = [time * 1000 for time, _ in found], [peak for _, peak in found]
        of_rows = [[value / rows for value, rows in zip(values, millions)] for values in (times, memory)]
        cells = times + of_rows[0] + memory + of_rows[1]
        for kind, values in zip(ratios, of_rows):
            for name, value in zip(names, values[:-1]):
                ratio = values[-1] / value if value > 0 else math.nan
                cells.append(ratio)
                if ratio > 0:
                    ratios[kind][name].append(ratio)
        print(f"| {query['name']} | {' | '.join(f'{cell:.2f}' if cell < 10 else f'{cell:.0f}' for cell in cells)} |", flush=True)
        print(f"{query['name']} done", file=sys.stderr)
    print()
    for kind, by_scale in ratios.items():
        for name, values in by_scale.items():
            if values:
                most = max(values)
                print(f"{kind} a row, scale {names[-1]} over {name}: geometric mean {geometric(values):.2f}, at most {most:.2f}")


main()
