"""Puts the jars of Java's FlightSqlClient into a folder, once: they are inside a Python package. Usage: install.py FOLDER"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "deephaven-server==42.7"
NEEDED = (
    "arrow-", "failureaccess-", "flatbuffers-", "flight-", "grpc-", "guava-", "jackson-annotations-", "jackson-core-",
    "jackson-databind-", "jackson-datatype-jsr310-", "netty-", "perfmark-", "proto-google-", "protobuf-java-", "slf4j-api-",
)

folder = Path(sys.argv[1])
installed = folder / "installed.txt"
if not installed.is_file() or installed.read_text() != PACKAGE:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder) as download:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--dest", download, PACKAGE], check=True)
        [wheel] = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as files:
            for file in files.namelist():
                name = Path(file).name
                if file.startswith("deephaven_server/jars/") and name.startswith(NEEDED):
                    (folder / name).write_bytes(files.read(file))
    installed.write_text(PACKAGE)
