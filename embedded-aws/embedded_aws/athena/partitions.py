"""Finds the partitions that Athena sees: those in the catalogue, or those of partition projection.

https://docs.aws.amazon.com/athena/latest/ug/partitions.html
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from embedded_aws.athena.failures import QueryFailedError

# Java's letters in projection.<column>.format, and strptime's.
_LETTERS = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))
_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}


@dataclass(frozen=True)
class Place:
    """A folder that Athena lists: bucket, prefix ("" or ending in ``/``), and its partition's values."""

    bucket: str
    prefix: str
    values: tuple[str, ...] = ()


def value_of(column: str) -> str:
    """DuckDB's SQL for a partition's value. Hive's word for null becomes null."""
    return f"NULLIF({column}, '__HIVE_DEFAULT_PARTITION__')"


def keys_of(table: dict[str, Any]) -> list[str]:
    """The names of the table's partition keys, in order."""
    return [str(key["Name"]).lower() for key in table.get("PartitionKeys") or []]


def place_of(location: str, values: tuple[str, ...] = ()) -> Place:
    """Raises QueryFailedError when the location is not an S3 folder."""
    match = re.fullmatch(r"s3[an]?://([^/]+)/?(.*)", location)
    if not match:
        raise QueryFailedError(f"HIVE_UNKNOWN_ERROR: '{location}' is not a location in S3")
    prefix = match.group(2).strip("/")
    return Place(match.group(1), f"{prefix}/" if prefix else "", values)


def location_of(table: dict[str, Any]) -> str:
    """The table's location; empty for a table without one."""
    return str((table.get("StorageDescriptor") or {}).get("Location") or "")


def is_projected(table: dict[str, Any]) -> bool:
    """True if the table uses partition projection."""
    enabled = str((table.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true"
    return enabled and bool(keys_of(table))


class Projection:
    """The partitions of a table with partition projection, recognised by the folders of its objects."""

    def __init__(self, table: dict[str, Any], now: datetime | None = None) -> None:
        self._parameters = dict(table.get("Parameters") or {})
        self._keys = keys_of(table)
        self._now = (now or datetime.now(UTC)).replace(tzinfo=None)
        usual = "/".join(f"{key}=${{{key}}}" for key in self._keys)
        template = self._parameters.get("storage.location.template", "").rstrip("/")
        template = template or f"{location_of(table).rstrip('/')}/{usual}"
        self.place = place_of(template.partition("${")[0].rpartition("/")[0])
        """The folder that holds all partitions."""
        folder = template.split("/", 3)[-1]
        for key in self._keys:
            folder = folder.replace(f"${{{key}}}", f"\0{key}\0")
        pattern = re.sub(r"\0(\w+)\0", r"(?P<\1>[^/]+)", re.escape(folder).replace("\\\0", "\0"))
        self._pattern = re.compile(f"{pattern}/")

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values of the partition that holds an object; None when no projected partition does."""
        match = self._pattern.match(key)
        if match is None or not all(self._holds(name, match.group(name)) for name in self._keys):
            return None
        return tuple(match.group(name) for name in self._keys)

    def _holds(self, column: str, value: str) -> bool:
        def told(name: str) -> str:
            return str(self._parameters.get(f"projection.{column}.{name}", ""))

        kind = told("type").lower()
        if kind == "enum":
            return value in [item.strip() for item in told("values").split(",")]
        first, _, last = (part.strip() for part in told("range").partition(","))
        if kind == "integer":
            digits = int(told("digits") or 0)
            fits = re.fullmatch(r"-?\d+", value) is not None and value == value.zfill(digits)
            return fits and int(first) <= int(value) <= int(last)
        if kind == "date":
            moment = _moment(value, told("format"), self._now)
            low, high = (_moment(edge, told("format"), self._now) for edge in (first, last))
            return moment is not None and low is not None and high is not None and low <= moment <= high
        return kind == "injected"


def _moment(text: str, java: str, now: datetime) -> datetime | None:
    """A date of a range, in its format or relative as ``NOW-3DAYS``."""
    relative = re.fullmatch(r"NOW(?:([+-]\d+)([A-Z]+?)S?)?", text.replace(" ", "").upper())
    if relative:
        seconds = _UNITS.get(relative.group(2) or "", 0) * int(relative.group(1) or 0)
        if relative.group(2) in ("MONTH", "YEAR"):
            seconds = int(relative.group(1)) * (30 if relative.group(2) == "MONTH" else 365) * 86400
        return now + timedelta(seconds=seconds)
    for letters, directive in _LETTERS:
        java = java.replace(letters, directive)
    try:
        return datetime.strptime(text, java.replace("'", ""))
    except ValueError:
        return None
