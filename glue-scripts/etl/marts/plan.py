"""The compiled declaration of a mart. Synth has judged it (`contracts/marts.ts`), so it is only loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from etl.errors import PlanRefused
from etl.marts.kinds.scd2 import Dimension
from etl.marts.kinds.star import FiscalYear, Lookup
from etl.run.load_quality import quality_of
from etl.run.quality import Quality

MART_VERSION = 1  # as in contracts/marts.ts
CURRENT, VERSIONS, STATES, ROWS = "current", "versions", "states", "rows"

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Input:
    """A table that the mart reads. `zone` is "processed" or "curated". `reads` says what a SELECT sees of a
    table of every version: the present, all versions, or the states at the end of the days on which one of
    the inputs `days` has a version (of the last `window_days` only, if that is set); ROWS is any other
    table."""

    name: str
    zone: str
    table: str
    reads: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    columns: Mapping[str, str]
    days: tuple[str, ...]
    window_days: int | None


@dataclass(frozen=True)
class AsOf:
    """The rows of an input that were there at the end of the run date."""

    input: str
    day_column: str
    retention_days: int


@dataclass(frozen=True)
class Scd2:
    input: str
    dimension: Dimension
    unknown: int | None


@dataclass(frozen=True)
class Calendar:
    """The days from the first to the last value of an input's column."""

    input: str
    column: str
    fiscal: FiscalYear


@dataclass(frozen=True)
class Select:
    """One SELECT over the inputs. `counts` are conditions, by name, whose rows the books count."""

    sql: str
    counts: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """The rows of a SELECT with the surrogate keys valid on the day of its column `moment`, and that day as
    an integer in `date_key`, a row of `calendar`."""

    select: Select
    moment: str
    date_key: str
    calendar: str
    lookups: tuple[Lookup, ...]


@dataclass(frozen=True)
class Table:
    """`key` are the columns that no two rows share. `columns` have types as Glue spells them."""

    name: str
    kind: AsOf | Scd2 | Calendar | Select | Facts
    key: tuple[str, ...]
    columns: Mapping[str, str]
    partition_by: tuple[str, ...]
    quality: Quality | None


@dataclass(frozen=True)
class Mart:
    """`tables` are in the order in which they are published. `text` is the whole plan."""

    inputs: Mapping[str, Input]
    tables: tuple[Table, ...]
    text: str

    @property
    def depends_on_run_date(self) -> bool:
        return any(isinstance(table.kind, AsOf) for table in self.tables)


def load_mart(text: str, name: str) -> Mart:
    """Raises PlanRefused for a text of another version, and for one that is not a whole plan."""
    advice = "deploy again with the release that this job is of"
    try:
        document = json.loads(text, parse_float=Decimal)
        version = document.get("martVersion")
    except (ValueError, AttributeError) as error:
        raise PlanRefused(f"{name} does not hold a mart ({error}): {advice}") from error
    if version != MART_VERSION:
        raise PlanRefused(f"{name} has version {version}, and this job reads {MART_VERSION}: {advice}")
    try:
        inputs = [_input(node) for node in document["inputs"]]
        tables = tuple(_table(node, document["tables"]) for node in document["tables"])
    except (KeyError, TypeError) as error:
        raise PlanRefused(f"{name} does not hold a whole mart ({error!r}): {advice}") from error
    return Mart({one.name: one for one in inputs}, tables, text)


def _input(node: Node) -> Input:
    return Input(
        name=node["name"],
        zone=node["zone"],
        table=node["table"],
        reads=node["reads"],
        key=tuple(node["key"]),
        order=tuple(node["order"]),
        columns=_columns(node),
        days=tuple(node["days"]),
        window_days=node["windowDays"],
    )


def _columns(node: Node) -> Mapping[str, str]:
    return {one["name"]: one["type"] for one in node["columns"]}


def _table(node: Node, tables: list[Node]) -> Table:
    rules = node["quality"]
    return Table(
        name=node["name"],
        kind=_kind(node, tables),
        key=tuple(node["key"]),
        columns=_columns(node),
        partition_by=tuple(node["partitionBy"]),
        quality=None if rules is None else quality_of(rules),
    )


def _kind(node: Node, tables: list[Node]) -> AsOf | Scd2 | Calendar | Select | Facts:
    kind = node["kind"]
    if kind == "asOf":
        return AsOf(node["input"], node["dayColumn"], node["retentionDays"])
    if kind == "scd2":
        dimension = Dimension(
            tuple(node["versionColumns"]),
            tuple(node["overwrittenColumns"]),
            node["surrogateKey"],
            "timestamp_ntz" if node["validFrom"] == "timestamp" else "date",
        )
        return Scd2(node["input"], dimension, node["unknownMember"])
    if kind == "calendar":
        fiscal = FiscalYear(node["fiscalYear"]["firstMonth"], node["fiscalYear"]["namedBy"] == "end")
        return Calendar(node["input"], node["column"], fiscal)
    select = Select(node["sql"], dict(node["counts"]))
    if kind == "select":
        return select
    if kind != "facts":
        raise KeyError(kind)
    of_name = {one["name"]: one for one in tables}
    lookups = tuple(
        Lookup(
            one["dimension"],
            of_name[one["dimension"]]["surrogateKey"],
            dict(one["by"]),
            of_name[one["dimension"]]["unknownMember"],
        )
        for one in node["dimensions"]
    )
    return Facts(select, node["moment"], node["dateKey"], node["calendar"], lookups)
