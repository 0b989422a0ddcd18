#!/usr/bin/env python3
"""What small queries take where there are workers, which they do not need, beside what they take where there are none.

    python3 benches/scale_out/small_queries.py LAKE [--binary target/release/tithe] [--runs 100] [--rounds 7] [--scale 1]

LAKE is made with `tithe gen` where there is none. Two workers, and the node that is asked as it is set up by default. Prints a
Markdown table of milliseconds by the clock of one more run in a process that has run the query once, the median of the rounds,
in which the two ways take turns, and their ratio. Exits with 1 when answers differ, when a query runs on workers, or when
the geometric mean of the ratios is above 1.1.
"""

import argparse
import math
import os
import pathlib
import statistics
import sys

from nodes import ROOT, lake_at, nodes

QUERIES = {
    "a row of a small table": "SELECT name_zh FROM ref.county WHERE county_code = '65000'",
    "a taxpayer": "SELECT name, county_code FROM tax.taxpayer WHERE ban = (SELECT min(ban) FROM tax.taxpayer)",
    "a day of invoices": "SELECT count(*), sum(total_amount) FROM invoice.header WHERE invoice_date = DATE '2024-05-07'",
    "returns by period": "SELECT period, sum(sales_amount) FROM tax.vat_return GROUP BY period ORDER BY period",
    "two small tables": "SELECT c.name_en, count(*) FROM tax.taxpayer t JOIN ref.county c ON t.county_code = c.county_code "
    "GROUP BY c.name_en ORDER BY c.name_en",
}
GOAL = 1.1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "tithe")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", default="1")
    options = parser.parse_args()
    binary, lake = options.binary.resolve(), lake_at(options.lake.resolve(), options.binary, options.scale)

    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}; {binary}\n")
    print("| query | without workers, ms | with two | ratio |\n|---|---:|---:|---:|", flush=True)
    ratios, wrong = [], []
    with nodes(binary, lake, None, 2) as cluster:
        for name, sql in QUERIES.items():
            took = {0: [], 2: []}
            answers = set()
            for _round in range(options.rounds):
                for workers, times in took.items():
                    _processor, seconds, answer = cluster.cost(sql, workers, options.runs)
                    times.append(seconds)
                    answers.add(answer)
            if len(answers) > 1:
                wrong.append(f"{name}: more than one answer")
            if "bytes_transferred" in cluster.analyzed(sql, 2):
                wrong.append(f"{name}: it ran on workers")
            without, with_workers = (statistics.median(times) * 1000 for times in took.values())
            ratios.append(with_workers / without)
            print(f"| {name} | {without:.2f} | {with_workers:.2f} | {ratios[-1]:.2f} |", flush=True)
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"\n{mean:.2f} in the geometric mean")
    if mean > GOAL:
        wrong.append(f"with workers they take {mean:.2f} of the time")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
