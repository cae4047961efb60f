"""Rows of the quality-control table: a measured value beside the limit it has to keep.

A row is a plain dictionary, stored as JSON with every rendering: `item`, `value`, `limit` as text,
`passed`.
"""

Row = dict[str, object]


def at_most(item: str, value: float, limit: float) -> Row:
    """Return the row of a value that must not exceed a limit."""
    return _row(item, value, f"<= {limit:g}", value <= limit)


def at_least(item: str, value: float, limit: float) -> Row:
    """Return the row of a value that must not fall short of a limit."""
    return _row(item, value, f">= {limit:g}", value >= limit)


def between(item: str, value: float, low: float, high: float) -> Row:
    """Return the row of a value that must lie in a range, ends included."""
    return _row(item, value, f"{low:g} to {high:g}", low <= value <= high)


def failed(rows: list[Row]) -> list[Row]:
    """Return the rows that did not pass."""
    return [row for row in rows if not row["passed"]]


def in_words(rows: list[Row]) -> str:
    """Return rows as one line for people: what was expected, what came."""
    return "; ".join(f"{row['item']} {row['limit']}, got {row['value']}" for row in rows)


def _row(item: str, value: float, limit: str, passed: bool) -> Row:
    return {"item": item, "value": round(float(value), 4), "limit": limit, "passed": bool(passed)}
