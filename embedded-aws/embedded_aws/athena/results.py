"""Results as Athena gives them: every value as text, the CSV in S3, and the pages of GetQueryResults.

https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

_ALIKE = (
    *("boolean", "tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"),
    *("date", "time", "map", "json"),
)
_TYPES = {
    **{name.upper(): name for name in _ALIKE},
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "UINTEGER": "bigint",
    "BLOB": "varbinary",
    "STRUCT": "row",
    "TUPLE": "row",
    "INTERVAL": "interval day to second",
}
_PRECISIONS = {
    "boolean": 0,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "float": 17,
    "double": 17,
}
_MOST_TEXT = 2147483647


def type_name(kind: str) -> str:
    """Athena's name of a DuckDB type."""
    if kind.endswith("]"):
        return "array"
    if kind.startswith("TIMESTAMP"):
        return "timestamp with time zone" if "TIME ZONE" in kind else "timestamp"
    return _TYPES.get(kind.split("(")[0], "varchar")


def column(name: str, kind: str) -> dict[str, Any]:
    """The ColumnInfo of a column of this DuckDB type."""
    called = type_name(kind)
    precision, scale = _PRECISIONS.get(called, 3 if called.startswith("time") else 0), 0
    decimal = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind)
    if decimal:
        precision, scale = int(decimal.group(1)), int(decimal.group(2))
    elif called == "varchar":
        precision = _MOST_TEXT
    names = {"CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name}
    more = {"Nullable": "UNKNOWN", "CaseSensitive": called == "varchar"}
    return {**names, "Type": called, "Precision": precision, "Scale": scale, **more}


def text(value: Any) -> str | None:
    """A value as VarCharValue; None for a null."""
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex(" ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}={_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "{" + ", ".join(f"field{place}={_text(item)}" for place, item in enumerate(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)


def _double(value: float) -> str:
    """As Java writes a double: plain from 0.001 to below 10,000,000, else 1.0E7."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{first}.{rest or '0'}E{int(exponent) + len(digits) - 1}"


def csv(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> bytes:
    """The results object: every value in quotes, null as an empty field."""

    def line(values: Sequence[str | None]) -> str:
        return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values)

    return "".join(f"{line(row)}\n" for row in [list(names), *rows]).encode()


def page(
    results: dict[str, Any], header: bool, token: str | None, most: int
) -> tuple[dict[str, Any], str | None] | None:
    """One page and the next page's token; None when the given token is unknown.

    The header is the first row of the first page, and counts as a row.
    """
    rows: list[list[str | None]] = [*([results["columns"]] if header else []), *results["rows"]]
    if token is not None and not (token.isdecimal() and 0 < int(token) < len(rows)):
        return None
    start = int(token or 0)
    shown = [
        {"Data": [{} if value is None else {"VarCharValue": text(value)} for value in row]}
        for row in rows[start : start + most]
    ]
    info = results.get("info") or [column(name, "VARCHAR") for name in results["columns"]]
    following = str(start + most) if start + most < len(rows) else None
    return {"Rows": shown, "ResultSetMetadata": {"ColumnInfo": info}}, following
