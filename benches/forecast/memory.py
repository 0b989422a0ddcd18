#!/usr/bin/env python3
"""Forecasts more series than fit the memory limit, through SQL, and tells what that took.

    python3 benches/forecast/memory.py [--series 1000000] [--memory "4 GiB"] [--model auto] [--tithe target/release/tithe]

Needs the release build (`cargo build --release`) and Linux. The rows are made by the query itself, 120 months a series,
one month of all series after the other, so that no series is complete before the last rows come. The peak is that of the
whole process as the system tells it, with what the engine does not count; the limit is for what it counts.
"""
import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MONTHS = 120
BYTES_A_ROW = 16
GIB = 1 << 30


def sql(series, model):
    months = ", ".join(f"({month}, DATE '{2014 + month // 12}-{1 + month % 12:02}-01')" for month in range(MONTHS))
    return f"""
        SELECT count(*) AS forecasts, count(*) FILTER (WHERE f[1]['status'] = 'ok') AS ok,
               sum(CAST(round(f[1]['forecast_value']) AS BIGINT)) AS first_steps
        FROM (SELECT series, forecast(month, amount, 12, '{model}') AS f
              FROM (SELECT series, month,
                           CAST(1000 + series % 997 + 100 * (place % 12) + (series * 31 + place * 7919) % 101 AS BIGINT) AS amount
                    FROM (VALUES {months}) AS m (place, month) CROSS JOIN generate_series(1, {series}) AS s (series)) AS made
              GROUP BY series) AS forecasts"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--memory", default="4 GiB")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--tithe", default=ROOT / "target" / "release" / "tithe")
    arguments = parser.parse_args()
    query = sql(arguments.series, arguments.model)
    with tempfile.TemporaryDirectory() as lake:
        start = time.monotonic()
        found = subprocess.run(
            [arguments.tithe, "sql", "--lake", lake, "--memory", arguments.memory, "--format", "csv", "-c", query],
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds = time.monotonic() - start
    if found.returncode:
        sys.exit(found.returncode)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(found.stdout.strip())
    print(f"times and values {arguments.series * MONTHS * BYTES_A_ROW / GIB:.2f} GiB, limit {arguments.memory}, peak {peak / GIB:.2f} GiB, {seconds:.0f} s")


if __name__ == "__main__":
    main()
