"""How columns of PostgreSQL are carried: the types that fit a declared one, the expression that reads a value
in a form which no driver and no time zone of Java can change, and the values that cannot be carried.

Days and microseconds are counted by the database, so that a date before 1582 or an hour that a zone skips
arrives as it is. Spark makes them dates and timestamps again."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F

from etl.extract.document import Column

_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext"})
_INTEGERS = {"int2": 5, "int4": 10, "int8": 19}  # with their digits
# The types of PostgreSQL, as pg_type names them, that fit a declared type. Arrays, enumerations and decimals
# are judged by more than their name.
_FITS: Mapping[str, frozenset[str]] = {
    "text": _TEXTS,
    "integer": frozenset({"int2", "int4"}),
    "bigint": frozenset({"int2", "int4", "int8"}),
    "double": frozenset({"float4", "float8"}),
    "boolean": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp"}),
    "instant": frozenset({"timestamptz"}),
    "uuid": frozenset({"uuid"}),
    "json": frozenset({"json", "jsonb"}),
}
# The type in which a value leaves the database, for Spark.
_CARRIED = {
    "integer": "int",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "int",
    "timestamp": "bigint",
    "instant": "bigint",
}
_WRITTEN = {"integer": "int", "text": "string", "uuid": "string", "json": "string", "array": "string"}


@dataclass(frozen=True)
class SourceColumn:
    """A column as the database describes it. `shown` is its type in words, `type` the name in pg_type, that
    of the elements where `is_array`. `precision` and `scale` are those of a numeric that has them."""

    name: str
    shown: str
    type: str
    is_array: bool = False
    is_enumeration: bool = False
    precision: int | None = None
    scale: int | None = None


def type_mistake(declared: Column, found: SourceColumn) -> str | None:
    """The type that has arrived does not fit the declared one; None if it does."""
    if found.is_array:
        fits = declared.type == "array"
    elif declared.decimal is not None:
        fits = found.type == "numeric" or found.type in _INTEGERS
    else:
        fits = found.type in _FITS.get(declared.type, ()) or (
            found.is_enumeration and declared.type == "text"
        )
    if fits:
        return None
    return f"{declared.name} is declared as {declared.type} and has the type {found.shown}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """The quoted name of a table."""
    return f"{quoted(schema)}.{quoted(name)}"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def refused_where(declared: Column, found: SourceColumn) -> str | None:
    """The condition of values that cannot be carried; None if every value of this type can."""
    name = quoted(declared.name)
    if declared.decimal is not None:
        precision, scale = declared.decimal
        if _always_fits(found, precision, scale):
            return None
        # NaN is greater than every number.
        return f"({name} <> round({name}, {scale}) or abs({name}) >= 1e{precision - scale}::numeric)"
    if declared.type in ("date", "timestamp", "instant"):
        kind = {"date": "date", "timestamp": "timestamp", "instant": "timestamptz"}[declared.type]
        zone = "+00" if kind == "timestamptz" else ""
        # Infinity is later than every date.
        outside = f"({name} < {kind} '0001-01-01{zone}' or {name} >= {kind} '10000-01-01{zone}')"
        return outside if declared.infinity == "refuse" else f"(isfinite({name}) and {outside})"
    return None


def _always_fits(found: SourceColumn, precision: int, scale: int) -> bool:
    if found.type in _INTEGERS:
        return _INTEGERS[found.type] <= precision - scale
    if found.precision is None or found.scale is None:
        return False
    # A negative scale rounds to tens, hundreds …
    digits_before = found.precision - found.scale
    return max(found.scale, 0) <= scale and digits_before <= precision - scale


def expression(declared: Column, found: SourceColumn) -> str:
    """The SQL of a value as it is carried, not named."""
    name = quoted(declared.name)
    if declared.decimal is not None:
        precision, scale = declared.decimal
        return f"{name}::numeric({precision},{scale})"
    if declared.type == "date":
        return f"case when isfinite({name}) then {name} - date '1970-01-01' end"
    if declared.type in ("timestamp", "instant"):
        return f"case when isfinite({name}) then (extract(epoch from {name}) * 1000000)::int8 end"
    if declared.type == "array":
        return f"to_json({name})::text"
    casts = {"integer": "int4", "bigint": "int8", "double": "float8", "boolean": "bool"}
    return f"{name}::{casts.get(declared.type, 'text')}"


def carried_type(declared: Column) -> str:
    """The type of a value that has just been read, for Spark."""
    return declared.type if declared.decimal is not None else _CARRIED.get(declared.type, "string")


def written_type(declared: Column) -> str:
    """The type of the column in the lake, as Glue spells it."""
    return "timestamp" if declared.type == "instant" else _WRITTEN.get(declared.type, declared.type)


def written(declared: Column) -> SparkColumn:
    """The column as it is written, from the one that was read."""
    column = F.col(f"`{declared.name}`")
    if declared.type == "date":
        column = F.date_add(F.lit("1970-01-01").cast("date"), column)
    elif declared.type in ("timestamp", "instant"):
        column = F.timestamp_micros(column)
    return column.alias(declared.name)


def summed_source(declared: Column, found: SourceColumn) -> str | None:
    """The SQL of a number to be summed for each value: the value itself, its days, its microseconds, or its
    length; None for a double, whose sum depends on the order."""
    value = expression(declared, found)
    if declared.type == "double":
        return None
    if declared.type == "boolean":
        return f"({value})::int4"
    return f"char_length({value})" if carried_type(declared) == "string" else f"({value})::numeric"


def summed_written(declared: Column) -> SparkColumn | None:
    """The same number from a written row."""
    column = F.col(f"`{declared.name}`")
    if declared.type == "double":
        return None
    if declared.type == "boolean":
        number = column.cast("int")
    elif declared.type == "date":
        number = F.datediff(column, F.lit("1970-01-01").cast("date"))
    elif declared.type in ("timestamp", "instant"):
        number = F.unix_micros(column)
    elif carried_type(declared) == "string":
        number = F.length(column)
    else:
        number = column
    scale = 0 if declared.decimal is None else declared.decimal[1]
    return number.cast(f"decimal(38,{scale})")
