#!/usr/bin/env python3
"""Tithe's forecasts beside StatsForecast's: accuracy and speed on the same series, one after the other, on one core.

    python3 benches/forecast/statsforecast.py [BENCH.csv[.gz]] [--sample 100] [--frequency monthly] [--models ets,dot,scum]

Needs statsforecast, pandas and pyarrow (`pip install statsforecast pyarrow`) and cargo. BENCH.csv has the columns
series_id, freq, split (train or test), t, value, as M3 or Tourism are often kept; without it the real monthly revenue
series that ship with Tithe are used (benches/forecast/real_series.py), their last 12 months held back.

Every model sees the same --sample series, drawn with a fixed seed (0 for all). `ets` is AutoETS, `dot`
DynamicOptimizedTheta, `scum` the median of AutoETS, AutoCES, DynamicOptimizedTheta and AutoARIMA; it takes minutes for
a hundred monthly series. --models '' leaves StatsForecast out. StatsForecast is called once before the clock starts, so that compilation is not counted;
Tithe's figure is the best of twenty runs over the sample; with
intervals pooled as `ai_forecast` does it is taken as a third of that, for three forecasts of a series. Both make 95 % intervals (SCUM: points only).

Printed: series a second, sMAPE, MASE and OWA as in the M4 competition, MASE relative to the seasonal naive (at most 20 a
series), coverage and MSIS of the 95 % interval.
"""
import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# This file bears the name of the package that it measures.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np
import pandas as pd
from statsforecast.models import AutoARIMA, AutoCES, AutoETS, DynamicOptimizedTheta

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEASON = dict(monthly=12, bimonthly=6, quarterly=4, weekly=52, hourly=24)
LARGEST = 20


def load(path):
    if path is None:
        written = subprocess.run(
            [sys.executable, HERE / "real_series.py", "--months", "12"], check=True, stdout=subprocess.PIPE
        )
        source = io.BytesIO(written.stdout)
    else:
        source = path
    return pd.read_csv(source, dtype={"series_id": str}).sort_values(["freq", "series_id", "t"], kind="stable")


def smape(actual, forecast):
    size = np.abs(actual) + np.abs(forecast)
    return 200 * np.where(size > 0, np.abs(actual - forecast) / np.where(size > 0, size, 1), 0).mean()


def seasonal_naive(y, season, horizon):
    season = season if len(y) >= season else 1
    return y[len(y) - season + np.arange(horizon) % season]


def naive2(y, season, horizon):
    """Seasonally adjusted naive of the M4 competition."""
    if season > 1 and len(y) >= 3 * season and (y > 0).all() and y.std() > 0:
        x = y - y.mean()
        r = np.array([(x[k:] * x[:-k]).sum() for k in range(1, season + 1)]) / (x * x).sum()
        if abs(r[-1]) > 1.645 * np.sqrt((1 + 2 * (r[:-1] ** 2).sum()) / len(y)):
            weights = np.r_[0.5, np.ones(season - 1), 0.5] / season if season % 2 == 0 else np.ones(season) / season
            half = len(weights) // 2
            ratio = np.full(len(y), np.nan)
            ratio[half : len(y) - half] = y[half : len(y) - half] / np.convolve(y, weights, "valid")
            factor = np.array([np.nanmean(ratio[place::season]) for place in range(season)])
            factor /= factor.mean()
            return y[-1] / factor[(len(y) - 1) % season] * factor[(len(y) + np.arange(horizon)) % season]
    return np.full(horizon, y[-1])


def score(series, forecasts):
    rows = []
    for one, (mean, low, high) in zip(series, forecasts):
        train, test, season = one["train"], one["test"], one["season"]
        lag = season if len(train) > season else 1
        scale = np.abs(train[lag:] - train[:-lag]).mean()
        if scale == 0:
            continue
        error = lambda forecast: np.abs(test - forecast).mean() / scale
        reference = naive2(train, season, len(test))
        row = dict(smape=smape(test, mean), smape2=smape(test, reference), mase=error(mean), mase2=error(reference))
        row["capped"] = min(row["mase"], LARGEST)
        row["capped_naive"] = min(error(seasonal_naive(train, season, len(test))), LARGEST)
        if low is not None:
            row["covered"] = ((test >= low) & (test <= high)).mean()
            outside = np.maximum(low - test, 0) + np.maximum(test - high, 0)
            row["msis"] = ((high - low) + 40 * outside).mean() / scale
        rows.append(row)
    m = pd.DataFrame(rows).mean()
    owa = 0.5 * (m.smape / m.smape2 + m.mase / m.mase2)
    intervals = f"  coverage {m.covered:.3f}  MSIS {m.msis:6.2f}" if "covered" in m else ""
    return f"sMAPE {m.smape:6.2f}  MASE {m.mase:6.3f}  OWA {owa:.3f}  relative MASE {m.capped / m.capped_naive:.3f}{intervals}"


def tithe(bench):
    """Forecasts by the release build, with the bounds of `forecast` and pooled ones, and the series a second of one thread."""
    command = ["cargo", "run", "--quiet", "--release", "-p", "tithe-compute", "--example"]
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        bench.to_csv(file.name, index=False)
        example = lambda name, *more: subprocess.run(
            [*command, name, "--", file.name, *more], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        ).stdout
        read = lambda *more: pd.read_csv(io.StringIO(example("score", *more)), dtype={"series_id": str})
        found, pooled = read(), read("auto", "pooled")
        speed = float(example("forecast_speed").split("a second: ")[1].split(" ")[0])
    by_series = lambda all: {name: g.sort_values("step") for name, g in all.groupby("series_id")}
    return by_series(found), by_series(pooled), speed


def statsforecast(models, series, intervals):
    """Point forecasts (the median of the models) and bounds, and the series a second."""
    one = series[0]
    for model in models(one["season"]):
        model.forecast(y=one["train"], h=len(one["test"]), level=[95])
    start = time.perf_counter()
    found = []
    for one in series:
        paths = []
        for model in models(one["season"]):
            level = [95] if intervals else None
            try:
                paths.append(model.forecast(y=one["train"], h=len(one["test"]), level=level))
            except Exception:
                continue  # what cannot be fitted is left out of the median
        if not paths:
            mean = seasonal_naive(one["train"], one["season"], len(one["test"]))
            found.append((mean, mean, mean) if intervals else (mean, None, None))
            continue
        mean = np.median([path["mean"] for path in paths], axis=0)
        found.append((mean, paths[0]["lo-95"], paths[0]["hi-95"]) if intervals else (mean, None, None))
    return found, len(series) / (time.perf_counter() - start)


MODELS = dict(
    ets=("StatsForecast AutoETS", lambda m: [AutoETS(season_length=m)], True),
    dot=("StatsForecast DOT", lambda m: [DynamicOptimizedTheta(season_length=m)], True),
    scum=(
        "StatsForecast SCUM",
        lambda m: [
            AutoETS(season_length=m),
            AutoCES(season_length=m),
            DynamicOptimizedTheta(season_length=m),
            AutoARIMA(season_length=m),
        ],
        False,
    ),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--frequency", default="monthly")
    parser.add_argument("--models", default="ets,dot")
    arguments = parser.parse_args()
    bench = load(arguments.bench)
    bench = bench[bench.freq == arguments.frequency]
    names = bench.series_id.drop_duplicates()
    if names.empty:
        sys.exit(f"no series has the frequency {arguments.frequency!r}")
    if 0 < arguments.sample < len(names):
        names = names.sample(arguments.sample, random_state=1)
    bench = bench[bench.series_id.isin(set(names))]
    season = SEASON.get(arguments.frequency, 1)
    series = []
    for name, rows in bench.groupby("series_id", sort=True):
        part = lambda split: rows.value[rows.split == split].to_numpy(float)
        series.append(dict(name=name, season=season, train=part("train"), test=part("test")))
    print(f"{len(series)} {arguments.frequency} series, one core")

    def line(label, forecasts, speed):
        print(f"{label:24} {speed:9.1f} series/s  {score(series, forecasts)}", flush=True)

    found, pooled, speed = tithe(bench)
    for label, by_series, speed in [("Tithe auto", found, speed), ("Tithe auto, pooled", pooled, speed / 3)]:
        ours = [by_series[one["name"]] for one in series]
        line(label, [tuple(f[c].to_numpy() for c in ("mean", "lo95", "hi95")) for f in ours], speed)
    for name in filter(None, arguments.models.split(",")):
        label, models, intervals = MODELS[name]
        line(label, *statsforecast(models, series, intervals))


if __name__ == "__main__":
    main()
