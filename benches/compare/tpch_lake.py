"""Makes TPC-H's tables as a lake: LAKE/tpch/TABLE/*.parquet.

    python3 benches/compare/tpch_lake.py LAKE [--scale 1]
"""

import argparse
import pathlib
import subprocess
import sysconfig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    folder = options.lake / "tpch"
    if folder.exists():
        raise SystemExit(f"{folder} exists: remove it, or take another lake")
    # Whole or not at all: another run looks for the folder.
    made = options.lake / "tpch.part"
    generator = pathlib.Path(sysconfig.get_path("scripts"), "tpchgen-cli")
    shape = ["--scale-factor", str(options.scale), "--parts", "1", "--output-dir", made]
    subprocess.run([generator, "parquet", *shape], check=True)
    made.rename(folder)


main()
