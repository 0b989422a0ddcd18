#!/usr/bin/env python3
"""The real monthly revenue series of the schema `real`, as a benchmark file for the forecast examples.

    python3 benches/forecast/real_series.py [--months 24] > SERIES.csv      (needs pyarrow)

Writes series_id, freq, split (train or test), t (1, 2, ...), value. The last --months of a series are its test part.
A series is one tax of Taiwan; one state, one tax or one tax of one state of Brazil; one sector of Philadelphia. A month
without a row between the first and the last one is zero: nothing was collected. Series of fewer than 60 months, or
in which more than a tenth of the months are zero, are left out.
"""
import argparse
import csv
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

REAL = Path(__file__).resolve().parents[2] / "data-gen" / "real"
FEWEST_MONTHS = 60
MOST_ZEROS = 0.1


def rows(table, *columns):
    data = pq.read_table(REAL / f"{table}.parquet", columns=list(columns))
    return zip(*(data.column(name).to_pylist() for name in columns))


def series():
    """Series id to month number to exact amount."""
    found = defaultdict(lambda: defaultdict(Decimal))

    def add(name, month, amount):
        if amount is not None:
            found[name][12 * month.year + month.month] += amount

    for month, tax, amount in rows("tw_tax_monthly", "month", "tax_type", "net_collections_million"):
        add(f"taiwan/{tax}", month, amount)
    for month, state, tax, amount in rows("br_tax_monthly", "month", "state", "tax", "revenue_brl"):
        add(f"brazil by state/{state}", month, amount)
        add(f"brazil by tax/{tax}", month, amount)
        add(f"brazil by both/{state}/{tax}", month, amount)
    for month, parent, sector, amount in rows("phl_wage_tax_monthly", "month", "parent_sector", "sector", "wage_tax_usd"):
        add(f"philadelphia/{parent}/{sector}", month, amount)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=24, help="length of the test part")
    test = parser.parse_args().months
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["series_id", "freq", "split", "t", "value"])
    for name, amounts in sorted(series().items()):
        months = range(min(amounts), max(amounts) + 1)
        values = [amounts.get(month, Decimal(0)) for month in months]
        if len(values) < FEWEST_MONTHS or sum(v == 0 for v in values) > MOST_ZEROS * len(values):
            continue
        for t, value in enumerate(values, 1):
            out.writerow([name, "monthly", "test" if t > len(values) - test else "train", t, value])


if __name__ == "__main__":
    main()
