#!/usr/bin/env python3
"""Measures what a large cluster's times follow from, and computes them for one.

    python3 benches/scale_out/constants.py LAKE [--binary target/release/tithe] [--runs 3] [--scale 1]
        [--nodes 100] [--cores 32] [--bytes 1e15] [--network 1.25e9] [--file 512e6]

LAKE is made with `tithe gen` where there is none. Everything is processor time or a number of bytes, which depend little on
what else the machine does; times by the clock do. The cluster is a supposition: so many
nodes with so many cores, bytes of Parquet in files of one size, and bytes a second that one node can send.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from nodes import ROOT, lake_at, metric, nodes

SCAN = "SELECT sum(sales_amount) AS s, sum(tax_amount) AS a, min(total_amount) AS low, max(total_amount) AS high FROM invoice.header"
# `by_county_and_month` of benches/compare.
GROUPED = "SELECT seller_county_code, date_trunc('month', invoice_date) AS month, sum(total_amount) AS total FROM invoice.header GROUP BY 1, 2 ORDER BY 1, 2"
# Every row is sent once, with two texts and a number.
SHUFFLE = "SELECT count(*) AS n FROM (SELECT row_number() OVER (PARTITION BY seller_ban ORDER BY total_amount, invoice_number) AS place FROM invoice.header) WHERE place = 0"
GROUPS = "SELECT count(*) AS n FROM (SELECT value % {groups} AS g, sum(value) AS x, count(*) AS n FROM generate_series(1, {rows}) GROUP BY 1) WHERE x < 0"
FILES = [500, 4000]
SIZES = [1, 2, 4]
GROUP_COUNTS = [1_000_000, 4_000_000]


def scanning(cluster, statement, runs):
    """Bytes that are read, and how many in a second of processor time."""
    seconds, _took, _answer = cluster.cost(statement, 0, runs)
    read = metric(cluster.analyzed(statement, 0), "bytes_scanned")
    return read, read / seconds


def shuffling(cluster, rows, runs):
    """Bytes and seconds of processor time of a row that is sent."""
    alone, _took, _answer = cluster.cost(SHUFFLE, 0, runs)
    on_two, _took, _answer = cluster.cost(SHUFFLE, 2, runs)
    sent = metric(cluster.analyzed(SHUFFLE, 2), "bytes_transferred")
    return sent / rows, max(on_two - alone, 0.0) / rows


def stages(cluster, sizes, runs):
    """For each number of workers: tasks of a query that reads next to nothing, seconds of processor time more than in one
    process, and seconds by the clock."""
    small = "SELECT n % 10 AS d, count(*) AS rows FROM bench.files GROUP BY n % 10 ORDER BY n % 10"
    alone, _took, _answer = cluster.cost(small, 0, runs)
    for size in sizes:
        seconds, took, _answer = cluster.cost(small, size, runs)
        tasks = sum(map(int, re.findall(r"\btasks=(\d+)", cluster.analyzed(small, size))))
        yield size, tasks, seconds - alone, took


def tiny_lake(binary, folder):
    """A lake with one table of no file yet, and the file that it is made of."""
    lake = folder / "lake"
    (lake / "bench" / "files").mkdir(parents=True)
    rows = "SELECT value AS n, CAST(value AS VARCHAR) AS t FROM generate_series(1, 1000)"
    one = folder / "one.parquet"
    subprocess.run([binary, "sql", "--lake", lake, "-c", rows, "--output", one], check=True)
    return lake, one


def with_files(lake, one, count):
    table = lake / "bench" / "files"
    for number in range(len(list(table.iterdir())), count):
        shutil.copy(one, table / f"{number:06}.parquet")


def planning(binary, lake, one):
    """Seconds of processor time for planning over a file more, in one process."""
    found = []
    for count in FILES:
        with_files(lake, one, count)
        with nodes(binary, lake, "16 MiB", 0) as alone:
            found.append(alone.cost("EXPLAIN SELECT sum(n) FROM bench.files WHERE t > '5'", 0, 1)[0])
    return (found[1] - found[0]) / (FILES[1] - FILES[0]), found


def grouping(cluster):
    """Bytes of memory that a group more takes, of the whole process."""
    rows = max(GROUP_COUNTS)
    peaks = [cluster.run([GROUPS.format(groups=groups, rows=rows)])[3] for groups in GROUP_COUNTS]
    return (peaks[1] - peaks[0]) / (GROUP_COUNTS[1] - GROUP_COUNTS[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "tithe")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--per-partition", default="16 MiB")
    parser.add_argument("--nodes", type=float, default=100)
    parser.add_argument("--cores", type=float, default=32)
    parser.add_argument("--bytes", type=float, default=1e15)
    parser.add_argument("--network", type=float, default=1.25e9)
    parser.add_argument("--file", type=float, default=512e6)
    options = parser.parse_args()
    binary = options.binary.resolve()
    lake = lake_at(options.lake.resolve(), binary, options.scale)
    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}; {binary}\n", flush=True)
    with nodes(binary, lake, options.per_partition, 4) as cluster:
        answer, *_ = cluster.run(["SELECT count(*) AS n FROM invoice.header"])
        rows = int(answer.split()[-1])
        read, scan = scanning(cluster, SCAN, options.runs)
        print(f"scan, three numbers: {read / rows:.1f} bytes a row, {scan / 1e6:.1f} MB of Parquet a second and core", flush=True)
        read, grouped = scanning(cluster, GROUPED, options.runs)
        print(f"scan, grouped by county and month: {read / rows:.1f} bytes a row, {grouped / 1e6:.1f} MB of Parquet a second and core", flush=True)
        sent, cost = shuffling(cluster, rows, options.runs)
        print(f"shuffle: {sent:.1f} bytes and {cost * 1e6:.3f} us of processor time a row", flush=True)
        group = grouping(cluster)
        print(f"memory: {group:.0f} bytes a group", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tiny, one = tiny_lake(binary, pathlib.Path(folder))
        with_files(tiny, one, 16)
        with nodes(binary, tiny, "1", max(SIZES)) as cluster:
            for size, tasks, seconds, took in stages(cluster, SIZES, 5 * options.runs):
                told = f"{seconds * 1e3:.1f} ms of processor time more than in one process, {took * 1e3:.1f} ms by the clock"
                print(f"16,000 rows on {size}: {tasks} tasks, {told}", flush=True)
        file, found = planning(binary, tiny, one)
        times = ", ".join(f"{seconds:.3f} s for {count}" for count, seconds in zip(FILES, found))
        print(f"planning: {file * 1e6:.0f} us of processor time a file ({times})\n")

    files = options.bytes / options.file
    cores = options.nodes * options.cores
    print(f"{options.bytes:.3g} bytes in {files:.3g} files on {options.nodes:.0f} nodes of {options.cores:.0f} cores")
    print(f"  scan                   {options.bytes / grouped / cores:10.0f} s  = bytes / (nodes x cores x scan)")
    print(f"  planning               {files * file:10.0f} s  = files x planning, on the node that was asked")
    print(f"  a shuffle of 1e12 rows {1e12 * sent / options.nodes / options.network:10.0f} s  = rows x bytes / (nodes x network)")
    print(f"    and processor time   {1e12 * cost / cores:10.0f} s  = rows x time / (nodes x cores)")
    print(f"  groups within 64 GiB   {64 * (1 << 30) / group * options.nodes:10.3g}    = nodes x memory / bytes a group")


if __name__ == "__main__":
    main()
