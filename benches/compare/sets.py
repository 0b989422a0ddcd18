"""The query sets: their tables and queries."""

import dataclasses
import json
import pathlib
import re
import subprocess
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TAX = ["invoice.header", "invoice.item", "tax.taxpayer", "tax.vat_return", "tax.withholding", "tax.revenue_monthly"]
TPCH = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


@dataclasses.dataclass
class Set:
    """Tables as the queries call them; those without a schema lie in the schema `schema` of the lake."""

    tables: list
    schema: str | None
    queries: list

    def folder(self, lake, table):
        return pathlib.Path(lake, *(table if "." in table else f"{self.schema}.{table}").split("."))

    def files(self, lake, table):
        """A pattern for a table's files, and whether folders are named after values of columns."""
        folder = self.folder(lake, table)
        return str(folder / "**" / "*.parquet"), any(folder.glob("*=*"))

    def flat(self, sql):
        """The query for engines that know no schemas."""
        for table in self.tables:
            sql = sql.replace(table, table.replace(".", "_"))
        return sql


def written(path):
    return tomllib.loads(pathlib.Path(path).read_text())["query"]


def statements(path):
    """Queries as ClickBench publishes them: one a line. Most have a LIMIT that cuts through rows of equal rank."""
    # In its files a time is a number of seconds.
    text = pathlib.Path(path).read_text().replace('to_timestamp_seconds("EventTime")', '"EventTime"')
    lines = [line.strip().rstrip(";") for line in text.splitlines()]
    queries = []
    for number, sql in enumerate(filter(None, lines)):
        ordered = re.search(r"\bORDER BY\b", sql, re.IGNORECASE)
        query = {"name": f"Q{number}", "sql": sql, "unordered": not ordered, "ties": True}
        queries.append({**query, "duckdb": sql.replace("octet_length(", "strlen(")})
    return queries


def tpch(binaries, scale):
    printed = subprocess.run([binaries / "tpch_queries", str(scale)], check=True, capture_output=True, text=True).stdout
    return json.loads(printed)["query"]


def load(options):
    """The set that the command line asks for."""
    match options.set:
        case "tax":
            return Set(TAX, None, written(options.queries or HERE / "queries.toml"))
        case "tpch":
            return Set(TPCH, "tpch", tpch(options.binaries, options.scale))
        case "clickbench":
            if not options.queries:
                raise SystemExit(
                    "--set clickbench takes its queries from --queries FILE: "
                    "datafusion/queries.sql of https://github.com/ClickHouse/ClickBench, one query a line"
                )
            return Set(["hits"], "web", statements(options.queries))
