"""Measures `tithe serve` on loopback: how fast rows go out, beside pyarrow's own Flight server, and how soon small queries come back.

    cargo build --release -p tithe
    python3 benches/flight/flight.py [--binary target/release/tithe] [--rows 10000000] [--runs 7] [--seconds 10]

Prints Markdown. One client, pyarrow's, asks every server, in turn and in another order each round, so that what disturbs
the machine disturbs all.

1. DoGet of four numeric and of three text columns, all rows. pyarrow's server has the table in memory (which only sends) or reads
   the same Parquet file for every request, as Tithe does. MB are those of the plain Arrow columns that arrive.
2. `SELECT 1`, with a policy and an audit, on 16 connections, each in a process of its own.
3. A small query on one connection, alone and while another connection runs a heavy one again and again.

Exits with 1 when the servers' answers differ.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow
import pyarrow.compute
import pyarrow.flight as flight
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NUMERIC, TEXT = "numeric", "text"
POLICY = {"tables": [{"schema": "bench", "privileges": ["SELECT"]}]}
CONNECTIONS = 16
SMALL = "SELECT sum(amount) AS total FROM bench.small"
HEAVY = "SELECT count(*) AS n, sum(total) AS total FROM (SELECT taxpayer % 1000003 AS part, sum(amount) AS total FROM bench.numeric GROUP BY 1)"


def field(number, content):
    """A length-delimited field of a protocol buffer."""
    size, length = len(content), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def statement(sql):
    """The descriptor of Flight SQL's CommandStatementQuery."""
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return flight.FlightDescriptor.for_command(field(1, url) + field(2, field(1, sql.encode())))


def ask(client, sql):
    info = client.get_flight_info(statement(sql))
    return client.do_get(info.endpoints[0].ticket)


def generate(lake, rows):
    """Three tables, one file each; the same numbers in every run."""
    random.seed(7)
    index = pyarrow.array(range(rows), pyarrow.int64())
    times = lambda factor, modulus: pyarrow.compute.bit_wise_and(pyarrow.compute.multiply(index, factor), modulus - 1)
    amounts = times(48_271, 1 << 24)
    numeric = pyarrow.table(
        {
            "taxpayer": times(69_621, 1 << 26),
            "amount": amounts,
            "tax": pyarrow.compute.divide(amounts, 20),
            "rate": pyarrow.compute.divide(pyarrow.compute.cast(amounts, pyarrow.float64()), 16_777_216.0),
        }
    )
    number = pyarrow.compute.cast(index, pyarrow.string())
    join = lambda *parts: pyarrow.compute.binary_join_element_wise(*parts, "")
    text = pyarrow.table(
        {
            "invoice": join("AB-", number),
            "seller": join("有限公司第", number, "號"),
            "note": join("withholding certificate of ", number),
        }
    ).slice(0, max(rows // 4, 1))
    for name, table in {NUMERIC: numeric, TEXT: text, "small": numeric.slice(0, 1000)}.items():
        folder = lake / "bench" / name
        folder.mkdir(parents=True)
        pyarrow.parquet.write_table(table, folder / "part.parquet", compression="snappy", row_group_size=1 << 20)


class Server(flight.FlightServerBase):
    """pyarrow's: a ticket is `memory TABLE` or `file TABLE`."""

    def __init__(self, location, lake):
        super().__init__(location)
        self.paths = {name: pathlib.Path(lake, "bench", name, "part.parquet") for name in [NUMERIC, TEXT]}
        self.tables = {name: pyarrow.parquet.read_table(path) for name, path in self.paths.items()}

    def do_get(self, _context, ticket):
        way, name = ticket.ticket.decode().split()
        if way == "memory":
            return flight.RecordBatchStream(self.tables[name])
        file = pyarrow.parquet.ParquetFile(self.paths[name])
        return flight.GeneratorStream(file.schema_arrow, file.iter_batches(batch_size=65_536))


def serve_pyarrow(lake, pipe):
    server = Server("grpc://127.0.0.1:0", lake)
    pipe.send(server.port)
    server.serve()


@contextlib.contextmanager
def pyarrow_server(lake):
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve_pyarrow, args=(lake, theirs), daemon=True)
    process.start()
    try:
        yield f"grpc://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def tithe(binary, lake, *options):
    port = free_port()
    # Answers that are kept would be measured otherwise.
    command = [binary, "serve", "--lake", lake, "--listen", f"127.0.0.1:{port}", "--result-cache", "0", *options]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stderr=told, stdout=told)
        try:
            location = f"grpc://127.0.0.1:{port}"
            for _ in range(300):
                with contextlib.suppress(pyarrow.ArrowException, OSError), flight.connect(location) as client:
                    ask(client, "SELECT 1").read_all()
                    break
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                sys.exit("tithe does not answer")
            if process.poll() is not None:
                told.seek(0)
                sys.exit(told.read().decode())
            yield location
        finally:
            process.terminate()
            process.wait()


def received(reader):
    """Rows, and bytes of their plain columns; nothing is kept."""
    rows = size = 0
    for chunk in reader:
        rows += chunk.data.num_rows
        size += chunk.data.nbytes
    return rows, size


def checksum(reader):
    """Of all rows in any order: what sorts, sums."""
    table = reader.read_all()
    sums = []
    for column in table.columns:
        if pyarrow.types.is_string(column.type) or pyarrow.types.is_string_view(column.type):
            column = pyarrow.compute.binary_length(pyarrow.compute.cast(column, pyarrow.string()))
            sums.append(pyarrow.compute.sum(column).as_py())
        elif pyarrow.types.is_floating(column.type):
            sums.append(round(pyarrow.compute.sum(column).as_py(), 3))
        else:
            sums.append(pyarrow.compute.sum(column).as_py())
    return table.num_rows, table.column_names, sums


def throughput(lake, binary, runs):
    print("| columns | MB | Tithe, MB/s | pyarrow from the file, MB/s | pyarrow from memory, MB/s | Tithe / from the file | Tithe / from memory |")
    print("|---|---|---|---|---|---|---|")
    with tithe(binary, lake) as ours, pyarrow_server(lake) as theirs:
        with flight.connect(ours) as tithe_client, flight.connect(theirs) as pyarrow_client:
            for name in [NUMERIC, TEXT]:
                ways = {
                    "tithe": lambda: ask(tithe_client, f"SELECT * FROM bench.{name}"),
                    "file": lambda: pyarrow_client.do_get(flight.Ticket(f"file {name}")),
                    "memory": lambda: pyarrow_client.do_get(flight.Ticket(f"memory {name}")),
                }
                answers = {way: checksum(fetch()) for way, fetch in ways.items()}
                if len({json.dumps(answer) for answer in answers.values()}) != 1:
                    sys.exit(f"{name}: the answers differ: {answers}")
                megabytes = received(ways["memory"]())[1] / 1e6
                speeds = {way: [] for way in ways}
                for _ in range(runs):
                    for way in random.sample(list(ways), len(ways)):
                        since = time.perf_counter()
                        received(ways[way]())
                        speeds[way].append(megabytes / (time.perf_counter() - since))
                median = {way: statistics.median(values) for way, values in speeds.items()}
                cells = [f"{median[way]:.0f}" for way in ["tithe", "file", "memory"]]
                ratios = [f"{median['tithe'] / median[way]:.2f}" for way in ["file", "memory"]]
                print("|", " | ".join([name, f"{megabytes:.0f}", *cells, *ratios]), "|", flush=True)
    print()


def until(deadline, location, sql, expected):
    """Milliseconds of each query, one after the other."""
    took = []
    with flight.connect(location) as client:
        while time.perf_counter() < deadline:
            since = time.perf_counter()
            rows = ask(client, sql).read_all().num_rows
            took.append((time.perf_counter() - since) * 1000)
            if rows != expected:
                sys.exit(f"{sql} gave {rows} rows")
    return took


def connection(location, seconds, ready, pipe):
    ready.wait()
    pipe.send(until(time.perf_counter() + seconds, location, "SELECT 1", 1))


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def many(location, seconds, count):
    ready = multiprocessing.Barrier(count + 1)
    pipes = [multiprocessing.Pipe() for _ in range(count)]
    processes = [
        multiprocessing.Process(target=connection, args=(location, seconds, ready, theirs), daemon=True)
        for _ours, theirs in pipes
    ]
    for process in processes:
        process.start()
    ready.wait()
    took = [value for ours, _theirs in pipes for value in ours.recv()]
    for process in processes:
        process.join()
    return took


def governed(folder, lake):
    policy = folder / "policy.json"
    policy.write_text(json.dumps(POLICY))
    return ["--policy", policy, "--audit", folder / "audit"]


def small_queries(folder, lake, binary, seconds):
    print("| `SELECT 1` | queries/s | p50, ms | p99, ms |")
    print("|---|---|---|---|")
    with tithe(binary, lake) as location:
        row("16 connections", many(location, seconds, CONNECTIONS), seconds)
    with tithe(binary, lake, *governed(folder, lake)) as location:
        row("16 connections, with policy and audit", many(location, seconds, CONNECTIONS), seconds)
        row("1 connection, with policy and audit", many(location, seconds, 1), seconds)
    records = sum(1 for path in (folder / "audit").rglob("*") if path.is_file() for _ in path.open("rb"))
    if not records:
        sys.exit("the audit has no record")
    print()


def row(name, took, seconds):
    print(f"| {name} | {len(took) / seconds:.0f} | {percentile(took, 0.5):.1f} | {percentile(took, 0.99):.1f} |", flush=True)


def beside_a_heavy_query(lake, binary, seconds):
    print("| sum of 1,000 rows, 1 connection | queries/s | p50, ms | p99, ms | heavy queries meanwhile |")
    print("|---|---|---|---|---|")
    with tithe(binary, lake) as location:
        for heavy in [False, True]:
            stop, done = threading.Event(), []

            def run():
                with flight.connect(location) as client:
                    while not stop.is_set():
                        ask(client, HEAVY).read_all()
                        done.append(1)

            thread = threading.Thread(target=run)
            if heavy:
                thread.start()
                time.sleep(0.5)
            took = until(time.perf_counter() + seconds, location, SMALL, 1)
            stop.set()
            if heavy:
                thread.join()
            name = "beside one that reads all rows" if heavy else "alone"
            cells = [f"{len(took) / seconds:.0f}", f"{percentile(took, 0.5):.1f}", f"{percentile(took, 0.99):.1f}", len(done)]
            print("|", name, "|", " | ".join(map(str, cells)), "|", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "tithe")
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--seconds", type=float, default=10)
    options = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores; pyarrow {pyarrow.__version__}; {options.rows} rows; {options.binary}\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lake = folder / "lake"
        generate(lake, options.rows)
        throughput(lake, options.binary, options.runs)
        small_queries(folder, lake, options.binary, options.seconds)
        beside_a_heavy_query(lake, options.binary, options.seconds)


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
