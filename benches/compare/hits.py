"""Makes a table of the shape of ClickBench's `hits`, of the columns that its 43 queries use: LAKE/web/hits/*.parquet.

    python3 benches/compare/hits.py LAKE [--rows 10000000] [--seed 1]

Invented visits of July 2013: few counters, regions and phrases have most of the rows, most rows have no phrase, phone or
advertisement, and the values that queries look for by name occur. Dates and times are dates and times, texts are UTF-8.
"""

import argparse
import pathlib
import re

import duckdb

# `u(salt)` is a number from 0 to 1 for the row; a power of it makes small places frequent.
ROWS = """
SELECT
    (hash(i, $seed, 1) >> 1)::BIGINT AS "WatchID",
    floor(6500 * u(2) ** 6)::INTEGER AS counter,
    DATE '2013-07-01' + floor(31 * u(3))::INTEGER AS day,
    floor(86400 * u(4))::INTEGER AS second,
    floor($rows / 6 * u(5) ** 2)::BIGINT AS user,
    floor(9000 * u(6) ** 4)::INTEGER AS "RegionID",
    CASE WHEN u(7) < 0.87 THEN 0 ELSE floor($rows / 15 * u(8) ** 3)::BIGINT + 1 END AS phrase,
    CASE WHEN u(9) < 0.95 THEN 0 ELSE 1 + floor(165 * u(10) ** 3)::INTEGER END AS model,
    CASE WHEN u(11) < 0.994 THEN 0 ELSE 1 + floor(60 * u(12) ** 2)::INTEGER END AS advertisement,
    floor($rows / 5 * u(13) ** 3)::BIGINT AS page,
    CASE WHEN u(14) < 0.2 THEN -1 ELSE floor($rows / 5 * u(15) ** 3)::BIGINT END AS referer,
    floor($rows / 10 * u(16) ** 2)::BIGINT AS address,
    [0, 1024, 1280, 1366, 1368, 1440, 1600, 1638, 1680, 1750, 1920, 1996, 2038][1 + floor(13 * u(17))::INTEGER] AS width,
    u(18) AS refreshed, u(19) AS uncounted, u(20) AS linked, u(21) AS downloaded, u(22) AS source, u(23) AS high
FROM range($rows) r(i)
"""
HITS = """
SELECT
    "WatchID",
    -- The busiest counter is the one that queries look for.
    (CASE counter WHEN 0 THEN 62 WHEN 62 THEN 0 ELSE counter END)::INTEGER AS "CounterID",
    day AS "EventDate",
    day::TIMESTAMP + to_seconds(second) AS "EventTime",
    -- Small enough that engines which add them up in 64 bits can.
    CASE user WHEN floor($rows / 6 * 0.98) THEN 435090932899640449 ELSE (hash(user, 30) >> 28)::BIGINT END AS "UserID",
    "RegionID",
    CASE phrase WHEN 0 THEN '' ELSE 'phrase ' || phrase || ['', ' buy cheap', ' how to', ' near me'][1 + phrase % 4] END
        AS "SearchPhrase",
    (CASE phrase WHEN 0 THEN 0 ELSE 2 + phrase % 40 END)::SMALLINT AS "SearchEngineID",
    (CASE model WHEN 0 THEN 0 ELSE 1 + model % 80 END)::SMALLINT AS "MobilePhone",
    CASE model WHEN 0 THEN '' ELSE 'model ' || model END AS "MobilePhoneModel",
    advertisement::SMALLINT AS "AdvEngineID",
    address_of(page) AS "URL",
    'Page ' || page || CASE WHEN page % 60 = 5 THEN ' - Google' ELSE ' - news and prices' END AS "Title",
    CASE WHEN referer < 0 THEN '' ELSE address_of(referer) END AS "Referer",
    CASE page WHEN 3 THEN 2868770270353813622 ELSE (hash(page, 31) >> 1)::BIGINT END AS "URLHash",
    CASE referer WHEN 2 THEN 3594120000172545465 ELSE (hash(referer, 32) >> 1)::BIGINT END AS "RefererHash",
    ((hash(address, 33) % 4294967296)::BIGINT - 2147483648)::INTEGER AS "ClientIP",
    width::SMALLINT AS "ResolutionWidth",
    greatest(0, width - 20)::SMALLINT AS "WindowClientWidth",
    floor(1200 * high)::SMALLINT AS "WindowClientHeight",
    (refreshed < 0.12)::SMALLINT AS "IsRefresh",
    (uncounted < 0.01)::SMALLINT AS "DontCountHits",
    (linked < 0.05)::SMALLINT AS "IsLink",
    (downloaded < 0.002)::SMALLINT AS "IsDownload",
    [-1, 0, 1, 2, 3, 6][1 + floor(6 * source)::INTEGER]::SMALLINT AS "TraficSourceID"
FROM rows
ORDER BY "CounterID", "EventDate", "UserID", "WatchID"
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = options.lake / "web" / "hits"
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SystemExit(f"{folder} has files: remove them, or take another lake")
    connection = duckdb.connect()
    connection.execute(
        "CREATE MACRO address_of(page) AS 'https://' || CASE WHEN page % 50 = 5 THEN 'www.google.' ELSE 'site' || "
        "page % 997 || '.example.' END || ['com', 'net', 'org'][1 + page % 3] || '/section/' || page % 89 || '/item?id=' || page"
    )
    rows = re.sub(r"\bu\((\d+)\)", r"(hash(i, $seed, \1) / 18446744073709551616.0::DOUBLE)", ROWS)
    visits = f"WITH rows AS ({rows}) {HITS}".replace("$rows", str(options.rows)).replace("$seed", str(options.seed))
    # Not seen by anybody until it is whole.
    made = folder / "hits.part"
    connection.execute(f"COPY ({visits}) TO '{made}' (FORMAT parquet, COMPRESSION zstd)")
    made.rename(folder / "hits.parquet")


main()
