#!/usr/bin/env python3
"""Weekly and hourly series, real and drawn, as a benchmark file for the forecast examples.

    pip install --no-deps statsmodels==0.15.0 vega_datasets==0.9.0 pmdarima==2.1.1
    python3 benches/forecast/long_seasons.py > LONG.csv
    cargo run --release -p tithe-compute --example long_seasons -- LONG.csv

Writes series_id, freq, split (train or test), t (1, 2, ...), value. Real ones, from the data that the packages carry
(they are read as files, never imported), several origins each: the weekly CO2 of Mauna Loa (statsmodels; weeks without
a value on the line between their neighbours), the electricity demand of England and Wales, half hours added up to hours
(pmdarima, `taylor`), and the hourly temperature of Seattle and of San Francisco in 2010 (vega_datasets). Drawn ones, with
a fixed seed, 40 of each season: level, growth, a season of three waves and of busy hours or weeks, and noise that
lasts. They show that long seasons work, not how well real revenue is forecast. Of all numbers of a forecast only
what the members count in hours was chosen on them, on their training parts.
"""
import ast
import csv
import importlib.util
import math
import random
import sys
from pathlib import Path

SEED = 20260101
DRAWN = 40
WEEKS_A_YEAR = 52
HOURS_A_WEEK = 168


def package(name):
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        sys.exit(f"the package {name} is not installed; see the head of this file for the versions to install")
    return Path(found.origin).parent


def interpolated(values):
    """What is missing, on the line between its neighbours; missing ends are left out."""
    known = [place for place, value in enumerate(values) if value is not None]
    filled = []
    for left, right in zip(known, known[1:]):
        step = (values[right] - values[left]) / (right - left)
        filled += [values[left] + step * k for k in range(right - left)]
    return filled + [values[known[-1]]]


def co2():
    with open(package("statsmodels") / "datasets" / "co2" / "co2.csv", newline="") as file:
        number = lambda text: float(text) if text.strip() else None
        return interpolated([number(row["co2"]) for row in csv.DictReader(file)])


def demand():
    tree = ast.parse((package("pmdarima") / "datasets" / "taylor.py").read_text())
    numbers = max((node.elts for node in ast.walk(tree) if isinstance(node, ast.List)), key=len)
    halves = [float(ast.literal_eval(number)) for number in numbers]
    return [a + b for a, b in zip(halves[::2], halves[1::2])]


def temperature(city):
    with open(package("vega_datasets") / "_data" / f"{city}-temps.csv", newline="") as file:
        return [float(row["temp"]) for row in csv.DictReader(file)]


def origins(values, history, horizon, step):
    """Successive histories of this length, each with the values after it."""
    for start in range(0, len(values) - history - horizon + 1, step):
        yield values[start : start + history], values[start + history : start + history + horizon]


def drawn(draw, season, length):
    level, growth = math.exp(draw.uniform(3, 12)), draw.gauss(0, 0.1) / season
    waves = [(wave, draw.uniform(0, 0.25) / wave, draw.uniform(0, 2 * math.pi)) for wave in (1, 2, 3)]
    busy = {place: draw.uniform(0.1, 0.5) for place in draw.sample(range(season), season // 12)}
    noise, lasting, values = draw.uniform(0.02, 0.15), 0.0, []
    for t in range(length):
        lasting = 0.7 * lasting + draw.gauss(0, noise)
        place = t % season
        wave = sum(size * math.cos(2 * math.pi * wave * place / season + phase) for wave, size, phase in waves)
        values.append(level * math.exp(growth * t + wave + busy.get(place, 0.0) + lasting))
    return values


def series():
    """Frequency, series id, train part, test part."""
    for place, parts in enumerate(origins(co2(), 5 * WEEKS_A_YEAR, 26, WEEKS_A_YEAR + 5)):
        yield "weekly", f"co2/{place}", *parts
    for name, values in [("demand", demand()), ("seattle", temperature("seattle")), ("san_francisco", temperature("sf"))]:
        for place, parts in enumerate(origins(values, 4 * HOURS_A_WEEK, 48, 2 * HOURS_A_WEEK + 29)):
            yield "hourly", f"{name}/{place}", *parts
        for place, parts in enumerate(origins(values, 6 * HOURS_A_WEEK, HOURS_A_WEEK, 2 * HOURS_A_WEEK + 29)):
            yield "hourly_of_week", f"{name}/{place}", *parts
    draw = random.Random(SEED)
    for frequency, season, seasons, horizon in [
        ("weekly", WEEKS_A_YEAR, 5, 26),
        ("hourly", 24, 28, 48),
        ("hourly_of_week", HOURS_A_WEEK, 6, HOURS_A_WEEK),
    ]:
        for number in range(DRAWN):
            values = drawn(draw, season, seasons * season + horizon)
            yield frequency, f"drawn/{number}", values[:-horizon], values[-horizon:]


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["series_id", "freq", "split", "t", "value"])
    for frequency, name, train, test in series():
        for t, value in enumerate(train + test, 1):
            out.writerow([name, frequency, "train" if t <= len(train) else "test", t, repr(value)])


if __name__ == "__main__":
    main()
