#!/usr/bin/env python3
"""Compares the table of Lunar New Years with two packages and with the astronomy of the calendar's rules.

    python3 benches/forecast/lunar_new_year.py      (needs ephem, lunardate and LunarCalendar)

The rules are those of GB/T 33661-2017: days begin at midnight of UTC+8, months with the day of the new moon, the
winter solstice lies in month 11, and where there are thirteen months between two of those, the first without a
principal term (the sun at a multiple of 30 degrees) is a leap month.
"""
import datetime
import math
import sys
from pathlib import Path

import ephem
import lunardate
from lunarcalendar import Converter, Lunar

TABLE = Path(__file__).resolve().parents[2] / "udfs/compute/src/calendar/lunar_new_year.rs"
FIRST_YEAR = 1970
UTC8 = 8 / 24


def table():
    lines = TABLE.read_text().split("DAY_OF_YEAR", 1)[1].split("= [", 1)[1].split("];", 1)[0].splitlines()
    days = [int(day) for line in lines for day in line.split("//")[0].replace(",", " ").split()]
    first = lambda year: datetime.date(year, 1, 1)
    return {FIRST_YEAR + i: first(FIRST_YEAR + i) + datetime.timedelta(day - 1) for i, day in enumerate(days)}


def day(time):
    return ephem.Date(time + UTC8).datetime().date()


def principal_term(date):
    """The multiple of 30 degrees that the sun has reached at the midnight that a day begins with."""
    time = ephem.Date(ephem.Date(date) - UTC8)
    sun = ephem.Sun(time)
    longitude = ephem.Ecliptic(ephem.Equatorial(sun.ra, sun.dec, epoch=time), epoch=time).lon
    return int(math.degrees(longitude) // 30)


def by_rules(year):
    before = day(ephem.previous_winter_solstice(ephem.Date(f"{year}/1/15")))
    after = day(ephem.next_winter_solstice(ephem.Date(f"{year}/6/1")))
    moons, time = [], ephem.Date(f"{year - 1}/10/15")
    for _ in range(20):
        time = ephem.next_new_moon(time)
        moons.append(day(time))
        time = ephem.Date(time + 1)
    eleventh = lambda solstice: max(i for i, moon in enumerate(moons) if moon <= solstice)
    place, leap = eleventh(before), eleventh(after) - eleventh(before) == 13
    month = 11
    while month != 1:
        place += 1
        if leap and principal_term(moons[place]) == principal_term(moons[place + 1]):
            leap = False
            continue
        month = month % 12 + 1
    return moons[place]


def main():
    ours = table()
    sources = {
        "lunardate": lambda year: lunardate.LunarDate(year, 1, 1).to_solar_date(),
        "LunarCalendar": lambda year: Converter.Lunar2Solar(Lunar(year, 1, 1)).to_date(),
        "rules": by_rules,
    }
    differing = False
    for name, of in sources.items():
        other = [f"{year}: {date}, not {of(year)}" for year, date in ours.items() if of(year) != date]
        print(f"{name}: {len(ours) - len(other)} of {len(ours)} years agree", *other, sep="\n  ")
        differing |= bool(other)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
