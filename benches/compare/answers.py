"""Whether two engines answered the same."""

import decimal
import re

LIMIT = re.compile(r"\s+LIMIT\s+\d+(\s+OFFSET\s+\d+)?\s*$", re.IGNORECASE)


def plain(value):
    """Numbers to nine digits whatever their type: engines add doubles in their own order."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, (int, float, decimal.Decimal)):
        return f"{float(value):.9g}"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return str(value)


def rows(table, unordered):
    """The rows as texts; names of columns are the engine's own, and two may have the same."""
    columns = [column.to_pylist() for column in table.columns]
    given = [tuple(plain(value) for value in row) for row in zip(*columns)]
    return sorted(given) if unordered else given


def without_limit(sql):
    """The query whose answer has all rows among which a LIMIT chooses."""
    return LIMIT.sub("", sql)
