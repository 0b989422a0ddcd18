#!/usr/bin/env python3
"""The income estimator beside the same model in vectorised NumPy: creators a second, in one run on one machine.

    python3 benches/income/numpy_model.py [--creators 400] [--draws 4096]

Needs numpy and cargo. Runs the example income_speed of tithe-compute first, which estimates invented creators with all
evidence and writes them down; then estimates the same creators here, all draws of one creator at a time as arrays
(4,096 doubles fit the first-level cache, which is faster than all creators at once), with NumPy's own generator, the
same proposals, weights, quantiles and rerun with eight times the draws. Printed: the speed of both, on one core and on
all, and how far the medians lie apart: random numbers differ, the model must not.
"""
import argparse
import csv
import math
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DEALS = [(3e3, 1.0), (3e4, 5.0), (1.2e5, 14.0), (5e5, 28.0), (1.5e6, 36.0)]
CREATOR, PRICE, CAMPAIGN = 0.5, 0.55, 1.3
LEAST_SHARE, MORE = 0.02, 8
LN_GAMMA = np.array([0.0] + [math.lgamma(n) for n in range(1, 4096)])


def with_signal(share, signal):
    if signal == "":
        return share
    any_, none = (0.8, 0.03) if signal == "1" else (0.2, 0.97)
    return share * any_ / (share * any_ + (1 - share) * none)


def lognormal_sum(random, count, location, spread):
    """Terms one by one up to six, then one lognormal of the same mean and variance."""
    total = np.zeros(len(count))
    for term in range(int(min(count.max(initial=0), 6))):
        rows = np.flatnonzero((count > term) & (count <= 6))
        total[rows] += np.exp(location[rows] + spread * random.standard_normal(len(rows)))
    rows = np.flatnonzero(count > 6)
    if len(rows):
        variance = np.log1p(np.expm1(spread**2) / count[rows])
        center = np.log(count[rows]) + location[rows] + 0.5 * (spread**2 - variance)
        total[rows] = np.exp(center + np.sqrt(variance) * random.standard_normal(len(rows)))
    return total


def overlap(random, reported, shown, found):
    """Reported deals among the shown: binomial, cut at the number shown, by its cumulative distribution."""
    most = int(min(reported, found))
    odds = shown / (1 - shown)
    terms = np.empty((most + 1, len(shown)))
    terms[0] = (1 - shown) ** reported
    for number in range(most):
        terms[number + 1] = terms[number] * odds * (reported - number) / (number + 1)
    reached = np.cumsum(terms, axis=0)
    number = (reached < random.random(len(shown)) * reached[-1]).sum(axis=0)
    return np.minimum(number, most), np.log(reached[-1])


def draw(row, draws, random):
    followers, views = max(float(row["followers"]), 1.0), float(row["views"])
    ln_followers = math.log(followers)
    remitted = float(row["remittance"]) if row["remittance"] else None
    foreign = float(row["foreign"])
    expected = np.interp(ln_followers, [math.log(f) for f, _ in DEALS], [d for _, d in DEALS])
    expected = min(expected, 0.5 * (float(row["posts"]) + 1))
    price = 0.26 * 2.5 * 0.75
    ln_price = max(math.log(price) + ln_followers + 0.12 * (ln_followers - math.log(2e4)), math.log(1500))
    seen = [float(amount) for amount in row["deals"].split(",") if amount]

    reported = random.beta(6, 4, draws)
    shape, rate = 1.2, 1.2 / expected
    weight = shape * np.log(rate / (rate + reported)) + len(seen) * np.log(reported / (rate + reported))
    shape, rate, hidden = shape + len(seen), rate + reported, 1 - reported
    z = random.standard_normal(draws)
    multiplier = CREATOR * z
    if seen:
        noise = PRICE**2 / len(seen)
        surprise = statistics.fmean(map(math.log, seen)) - ln_price
        gain = CREATOR**2 / (CREATOR**2 + noise)
        multiplier = gain * surprise + math.sqrt(noise * gain) * z
    shown, found = random.beta(5, 5, draws), float(row["detected"])
    common, ln_possible = overlap(random, len(seen), shown, found)
    alone = (found - common).astype(int)
    thinned = hidden * shown
    steps = np.array([math.lgamma(shape + n) - math.lgamma(shape) for n in range(int(found) + 1)])
    weight += ln_possible + steps[alone] - LN_GAMMA[alone + 1]
    weight += shape * np.log(rate / (rate + thinned)) + alone * np.log(thinned / (rate + thinned))
    shape, rate, hidden = shape + alone, rate + thinned, hidden * (1 - shown)
    unseen = alone + random.poisson(random.standard_gamma(shape) / rate * hidden)
    sponsorship = sum(seen) + lognormal_sum(random, unseen, ln_price + multiplier, PRICE)

    paid = remitted is not None
    donations = np.zeros(draws)
    if paid or followers >= 500:
        takes = np.flatnonzero(random.random(draws) < with_signal(0.3, row["donation_signal"]))
        donations[takes] = views / 1000 * 0.1 * 60 * np.exp(
            0.4 * multiplier[takes] + 1.3 * random.standard_normal(len(takes)))
        members = takes[random.random(len(takes)) < 0.5]
        donations[members] += 0.002 * 75 * 12 * 0.7 * np.exp(
            ln_followers + 0.4 * multiplier[members] + random.standard_normal(len(members)))
    thousands = views / 1000
    affiliate = thousands * 3.0 * np.exp(0.6 * multiplier + 1.2 * random.standard_normal(draws))
    other = thousands * 1.5 * np.exp(0.6 * multiplier + 1.5 * random.standard_normal(draws))
    group_buy = affiliate
    base = 0.35 if row["sells_to_groups"] == "1" else 0.10
    runs = np.flatnonzero(random.random(draws) < with_signal(base, row["group_buy_signal"]))
    if len(runs):
        campaigns = 1 + random.poisson(random.standard_gamma(1.0, len(runs)) * 5)
        center = math.log(150_000 * 0.15) + 0.5 * (ln_followers - math.log(50_000))
        center = center + multiplier[runs] + 0.4 * random.standard_normal(len(runs))
        group_buy[runs] += lognormal_sum(random, campaigns, center, CAMPAIGN)

    ads = np.zeros(draws)
    if paid or followers >= 1000:
        rate_a_view = 35 / 1000 * float(row["ads_factor"]) * (1 + foreign * 0.2)
        with np.errstate(divide="ignore"):
            center = np.log(views * rate_a_view) + 0.6 * multiplier
        if paid:
            spread = np.where(random.random(draws) < 0.05, 0.6, 0.12)
            owed = remitted * np.exp(spread * random.standard_normal(draws))
            ads = owed - 0.7 * donations
            possible = ads > 0
            ads = np.where(possible, ads, 1.0)
            ratio = (np.log(ads) - center) / 0.6
            weight = np.where(possible, weight + np.log(owed / ads) - 0.5 * ratio * ratio, -np.inf)
            ads = np.where(possible, ads, 0.0)
        else:
            ads = np.exp(center + 0.6 * random.standard_normal(draws))
    total = ads + sponsorship + donations + group_buy + other
    declared = float(row["declared"])
    if declared > sum(seen):
        weight = weight + compliance(declared, sum(seen), total)
    return total, weight, (ads, sponsorship, donations, group_buy, other)


def compliance(declared, seen, total):
    stray = math.log(0.01 / (0.3 * math.sqrt(2 * math.pi))) - math.log(declared)
    z = (math.log(declared) - np.log(total)) / 0.3
    stray = stray - 0.5 * z * z
    rest = total - seen
    share = np.divide(declared - seen, rest, out=np.ones_like(rest), where=rest > 0)
    possible = share < 1
    x = np.where(possible, share, 0.5)
    density = 0.99 * 0.55 * 6 * x**5
    norm = math.gamma(4.2) / (math.gamma(1.2) * math.gamma(3.0))
    density = density + 0.99 * 0.45 * norm * x**0.2 * (1 - x) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        both = np.log(density / rest + np.exp(stray))
    return np.where(possible & (rest > 0), both, stray)


def estimate(row, draws, random):
    total, weight, components = draw(row, draws, random)
    weight = np.exp(weight - weight.max())
    if weight.sum() ** 2 / (weight @ weight) < LEAST_SHARE * draws:
        total, weight, components = draw(row, MORE * draws, random)
        weight = np.exp(weight - weight.max())
    answers = []
    for values in (total, *components):
        order = np.argsort(values)
        reached = np.cumsum(weight[order])
        answers.append(values[order[np.searchsorted(reached, np.array([0.1, 0.5, 0.9]) * reached[-1])]])
        answers.append(values @ weight / reached[-1])
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--creators", type=int, default=400)
    parser.add_argument("--draws", type=int, default=4096)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows_file = Path(folder) / "rows.tsv"
        example = ["cargo", "run", "--quiet", "--release", "-p", "tithe-compute", "--example", "income_speed", "--"]
        arguments = [str(options.creators), str(options.draws), str(rows_file)]
        print(subprocess.run(example + arguments, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout, end="")
        with open(rows_file, encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    random = np.random.Generator(np.random.SFC64(1))
    started = time.perf_counter()
    medians = [estimate(row, options.draws, random)[0][1] for row in rows]
    spent = time.perf_counter() - started
    print(f"NumPy {np.__version__}, 1 thread: {len(rows) / spent:.0f} creators/s at {options.draws} draws")
    apart = [abs(math.log(median / float(row["p50"]))) for median, row in zip(medians, rows)]
    print(f"medians of gross receipts apart: {100 * statistics.median(apart):.1f} % in the median creator, "
          f"{100 * sorted(apart)[int(0.95 * len(apart))]:.1f} % at most in 95 %")


if __name__ == "__main__":
    main()
