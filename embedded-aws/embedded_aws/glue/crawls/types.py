"""Infers column types as Glue's crawler does, from JSON values, CSV cells and Parquet schemas.

A type is a catalogue type string for scalars, or a :class:`Struct` or :class:`Array`. None means that only
nulls were seen. The tables below are the rules; each names its AWS page.
"""

import re
from dataclasses import dataclass
from typing import Any

INT_RANGE = range(-(2**31), 2**31)

# JSON: https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html (numbers without a fraction
# are `int`); `bigint` beyond 32 bits, `double` with a fraction, `string` for text, also for text that looks
# like a date. CSV: whole numbers are `bigint`, others `double`; text, dates included, is `string`, as in the
# tables of
# https://docs.aws.amazon.com/glue/latest/dg/tutorial-add-crawler.html
WIDER: dict[frozenset[str], str] = {
    frozenset({"int", "bigint"}): "bigint",
    frozenset({"int", "double"}): "double",
    frozenset({"bigint", "double"}): "double",
    frozenset({"int", "float"}): "float",
    frozenset({"float", "double"}): "double",
    frozenset({"tinyint", "int"}): "int",
    frozenset({"smallint", "int"}): "int",
    frozenset({"date", "timestamp"}): "timestamp",
}

# Parquet: the Hive type of each physical or logical type,
# https://docs.aws.amazon.com/athena/latest/ug/data-types.html
PARQUET_SCALARS: dict[str, str] = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "bigint",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
    "date64[ms]": "date",
}


@dataclass(frozen=True)
class Array:
    """An array; the element is None when every array was empty."""

    element: "Type"


@dataclass(frozen=True)
class Struct:
    """A structure's fields in the order in which they were first seen."""

    fields: "tuple[tuple[str, Type], ...]"


Type = str | Array | Struct | None
Columns = dict[str, Type]


def text(kind: Type) -> str:
    """The catalogue's spelling. A column with only nulls is a string."""
    if kind is None:
        return "string"
    if isinstance(kind, Array):
        return f"array<{text(kind.element)}>"
    if isinstance(kind, Struct):
        return "struct<" + ",".join(f"{name}:{text(field)}" for name, field in kind.fields) + ">"
    return kind


def of_json(value: Any) -> Type:
    """The type of one JSON value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if value in INT_RANGE else "bigint"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        element: Type = None
        for item in value:
            element = union(element, of_json(item))
        return Array(element)
    return Struct(tuple((name, of_json(item)) for name, item in value.items()))


def of_csv(cell: str) -> Type:
    """The type of one CSV cell; None for an empty cell."""
    cell = cell.strip()
    if not cell:
        return None
    if re.fullmatch(r"[+-]?\d{1,18}", cell):
        return "bigint"
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?", cell):
        return "double"
    return "boolean" if cell.lower() in ("true", "false") else "string"


def of_parquet(kind: Any) -> Type:
    """The type of one column of an Arrow schema that was read from a Parquet file."""
    import pyarrow.types as arrow

    if arrow.is_struct(kind):
        return Struct(tuple((field.name, of_parquet(field.type)) for field in kind))
    if arrow.is_map(kind):
        return f"map<{text(of_parquet(kind.key_type))},{text(of_parquet(kind.item_type))}>"
    if arrow.is_list(kind) or arrow.is_large_list(kind):
        return Array(of_parquet(kind.value_type))
    if arrow.is_dictionary(kind):
        return of_parquet(kind.value_type)
    if arrow.is_timestamp(kind):
        return "timestamp"
    if arrow.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return PARQUET_SCALARS.get(str(kind), "string")


def union(one: Type, other: Type) -> Type:
    """The type that holds both; types that do not fit together become a string."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(union(one.element, other.element))
    if isinstance(one, Struct) and isinstance(other, Struct):
        return Struct(tuple(merge(dict(one.fields), dict(other.fields)).items()))
    if isinstance(one, str) and isinstance(other, str):
        return WIDER.get(frozenset({one, other}), "string")
    return "string"


def merge(one: Columns, other: Columns) -> Columns:
    """All columns of both, in the order of their first appearance."""
    merged = dict(one)
    for name, kind in other.items():
        merged[name] = union(merged[name], kind) if name in merged else kind
    return merged


def similarity(one: Columns, other: Columns) -> float:
    """The share of columns with the same name and type, from 0 to 1."""
    if not one or not other:
        return 1.0 if one == other else 0.0
    common = sum(1 for name, kind in one.items() if name in other and _alike(kind, other[name]))
    return common / max(len(one), len(other))


def _alike(one: Type, other: Type) -> bool:
    if one is None or other is None or one == other:
        return True
    return type(one) is type(other) and (not isinstance(one, str) or frozenset({one, str(other)}) in WIDER)
