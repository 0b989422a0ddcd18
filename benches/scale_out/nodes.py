"""`tithe sql` and `tithe worker` as processes, and the processor time that all of them take together."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
COUNTS = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def lake_at(path, binary, scale):
    """The lake at `path`, made where there is none."""
    if not path.is_dir():
        subprocess.run([binary, "gen", "--scale", str(scale), "--seed", "7", "--out", path], check=True)
    return path


class Nodes:
    """Workers pinned to the machine's cores in turn, and whoever asks them."""

    def __init__(self, binary, lake, folder, per_partition, count):
        self.binary, self.lake, self.folder = binary, lake, pathlib.Path(folder)
        # Without a size, what is worth workers is what it is by default.
        if per_partition:
            settings = f'[cluster]\nminimum = 0\nper_partition = "{per_partition}"\n'
            (self.folder / "tithe.toml").write_text(settings)
        cores = sorted(os.sched_getaffinity(0))
        self.workers = [self._worker(cores[number % len(cores)]) for number in range(count)]

    def _worker(self, core):
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), self.binary, "worker", "--lake", self.lake, "--listen", "127.0.0.1:0"],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in process.stderr:
            if line.startswith("working on "):
                # What it logs is to be read, or it would wait for that.
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return process, line.split()[-1]
        sys.exit("a worker ended without its address")

    def close(self):
        for process, _address in self.workers:
            process.terminate()
        for process, _address in self.workers:
            process.wait()

    def run(self, statements, workers=0, options=()):
        """What the statements give, in one process on so many workers; seconds of processor time of all processes, seconds
        by the clock, and the largest memory of the process that was asked."""
        command = [self.binary, "sql", "--lake", self.lake, "--format", "csv", *options]
        used = self.workers[:workers]
        if used:
            command += ["--workers", ",".join(address for _process, address in used)]
        for statement in statements:
            command += ["-c", statement]
        before = sum(processor_time(process.pid) for process, _address in used)
        since = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=subprocess.PIPE)
            told = process.stderr.read().decode()
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            took = time.perf_counter() - since
            if process.returncode or "cannot be reached" in told:
                sys.exit(f"{' '.join(map(str, command))}\n{told}")
            said.seek(0)
            answer = said.read().decode()
        after = sum(processor_time(process.pid) for process, _address in used)
        return answer, usage.ru_utime + usage.ru_stime + after - before, took, usage.ru_maxrss * 1024

    def cost(self, statement, workers, runs):
        """Processor time and time by the clock of one more run in a process that has run the statement once, and an
        answer: what starting takes, and what is done once, is left out."""
        once, first, first_took, _memory = self.run([statement], workers)
        _answers, all_runs, took, _memory = self.run([statement] * (runs + 1), workers)
        return (all_runs - first) / runs, (took - first_took) / runs, once

    def analyzed(self, statement, workers):
        """The plan of the statement with what each operator has done."""
        return self.run([f"EXPLAIN ANALYZE {statement}"], workers)[0]


@contextlib.contextmanager
def nodes(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        started = Nodes(arguments[0], arguments[1], folder, *arguments[2:])
        try:
            yield started
        finally:
            started.close()


def processor_time(pid):
    """Of a process and its ended children, user and system, in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def metric(plan, name):
    """The sum of a metric over a plan as `EXPLAIN ANALYZE` prints it: bytes as 1.5 KB, everything else as 1.5 K."""
    found = re.findall(rf"\b{name}=([\d.]+)(?: ([KMGT]?B|[KMT])\b)?", plan)
    if name == "bytes_transferred":
        return sum(float(number) * BYTES[unit] for number, unit in found)
    return sum(float(number) * COUNTS[unit] for number, unit in found)
