#!/usr/bin/env python3
"""What queries cost on workers beside what they cost in one process: processor time of all processes, and bytes sent.

    python3 benches/scale_out/overhead.py LAKE [--binary target/release/tithe] [--workers 1,2,4] [--runs 3] [--scale 1]

LAKE is made with `tithe gen` where there is none. The workers are processes, pinned to the machine's cores in turn. Prints a
Markdown table: seconds of processor time, user and system, of a run in one process; the ratio to it on so many workers, all
processes together; and the bytes that the workers sent to each other and to the node that was asked. Processor time
depends little on what else the machine does. Exits with 1 when answers differ or a query does not run on workers.
"""

import argparse
import math
import os
import pathlib
import sys
import tomllib

from nodes import ROOT, lake_at, metric, nodes

QUERIES = ROOT / "benches" / "compare" / "queries.toml"
# Those that read much, and return or shuffle little; then those that shuffle what they read.
SCANS = [
    "range_total",
    "by_county",
    "by_county_and_month",
    "by_industry_and_kind",
    "distinct_buyers_by_county",
    "text_two_words",
    "by_description",
    "case_by_size",
    "top_invoices",
    "having_many_invoices",
    "no_withholding_of_fees",
]
# Seconds; less is lost in the ticks by which the system counts, and not in the means.
MEASURABLE = 0.05
SHUFFLES = ["pairs", "self_join_circles", "items_of_invoices", "window_rank"]


def sent(plan):
    return metric(plan, "bytes_transferred")


def readable(size):
    return f"{size / 1e6:.1f}" if size >= 1e5 else f"{size / 1e6:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "tithe")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--per-partition", default="16 MiB")
    parser.add_argument("--queries", help="only these, by name")
    options = parser.parse_args()
    binary, lake = options.binary.resolve(), lake_at(options.lake.resolve(), options.binary, options.scale)
    sizes = [int(size) for size in options.workers.split(",")]
    known = {query["name"]: query["sql"] for query in tomllib.loads(QUERIES.read_text())["query"]}
    chosen = options.queries.split(",") if options.queries else [*SCANS, *SHUFFLES]

    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}; {binary}\n")
    heads = [f"{size} workers" if size > 1 else "1 worker" for size in sizes]
    print("| query | in one process, s |", " | ".join(heads), "|", " | ".join(f"sent, MB, {head}" for head in heads), "|")
    print("|---|" + "---:|" * (1 + 2 * len(sizes)), flush=True)
    ratios, wrong = {size: [] for size in sizes}, []
    with nodes(binary, lake, options.per_partition, max(sizes)) as cluster:
        for name in chosen:
            embedded, _took, expected = cluster.cost(known[name], 0, options.runs)
            cells, bytes_sent = [], []
            for size in sizes:
                seconds, _took, answer = cluster.cost(known[name], size, options.runs)
                plan = cluster.analyzed(known[name], size)
                if answer != expected:
                    wrong.append(f"{name} on {size} workers: another answer")
                if "bytes_transferred" not in plan:
                    wrong.append(f"{name} on {size} workers: it ran in one process")
                if name in SCANS and embedded >= MEASURABLE:
                    ratios[size].append((embedded, seconds))
                cells.append(f"{seconds / embedded:.2f}")
                bytes_sent.append(readable(sent(plan)))
            print(f"| {name} | {embedded:.3f} |", " | ".join([*cells, *bytes_sent]), "|", flush=True)
    for size in sizes:
        if not ratios[size]:
            continue
        mean = math.exp(sum(math.log(more / alone) for alone, more in ratios[size]) / len(ratios[size]))
        total = sum(more for _alone, more in ratios[size]) / sum(alone for alone, _more in ratios[size])
        print(f"\nscans on {size}: {mean:.2f} in the geometric mean, {total:.2f} of the sum", end="")
    print()
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
