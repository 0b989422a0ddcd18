"""How long Tithe plans over a lake of very many small files.

    python3 benches/compare/many_files.py FOLDER [--files 100000] [--runs 5] [--partitions 0]

Makes FOLDER/s/t of copies of one tiny Parquet file if it is not there (with --partitions N in N folders `month=…`), then times
`EXPLAIN` of some queries in one process: the first, and the median and the slowest of the others. Exits with 1 when a median is a
second or more.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import pyarrow
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
QUERIES = [
    "SELECT count(*) FROM s.t",
    "SELECT k, sum(n) FROM s.t GROUP BY k",
    "SELECT n FROM s.t WHERE n = 5 LIMIT 10",
]
OF_A_MONTH = "SELECT sum(n) FROM s.t WHERE month = '007'"


def make(table, files, partitions):
    made = table.with_name("t.part")
    made.mkdir(parents=True, exist_ok=True)
    one = made / "one"
    rows = {"n": list(range(10)), "k": [f"text {n % 3}" for n in range(10)]}
    pyarrow.parquet.write_table(pyarrow.table(rows), one)
    for number in range(files):
        folder = made / f"month={number % partitions:03}" if partitions else made
        folder.mkdir(exist_ok=True)
        shutil.copyfile(one, folder / f"{number:06}.parquet")
    one.unlink()
    made.rename(table)


def planned(options, statement):
    """Seconds of each of so many runs in one process."""
    command = [options.binaries / "tithe", "sql", "--lake", options.folder, "--threads", str(options.threads), "--timing"]
    for _ in range(options.runs + 1):
        command += ["-c", statement]
    ran = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return [float(took) for took in re.findall(r"^\d+ rows? in ([\d.]+) s", ran.stderr, re.MULTILINE)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target" / "release")
    options = parser.parse_args()
    table = options.folder / "s" / "t"
    if not table.exists():
        make(table, options.files, options.partitions)
    slow = False
    for sql in QUERIES + ([OF_A_MONTH] if options.partitions else []):
        times = planned(options, f"EXPLAIN {sql}")
        hot = statistics.median(times[1:])
        slow = slow or hot >= 1
        print(f"{sql}: first {times[0]:.3f} s, median {hot:.3f} s, slowest {max(times[1:]):.3f} s", flush=True)
    sys.exit(1 if slow else 0)


main()
