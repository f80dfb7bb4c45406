"""The columns of a contract: scalars, exact numbers, dates, and arrays of objects of scalars."""

from etl.ingest.contract import MAX_PRECISION, Column
from etl.ingest.contract_nodes import Node, got
from etl.ingest.contract_parts import is_decimal

SCALARS = ("string", "integer", "number")


def read_columns(properties: Node | None, nested: bool = False) -> tuple[Column, ...]:
    found = properties.objects() if properties is not None else []
    columns = (_read_column(name, node, nested) for name, node in found)
    return tuple(column for column in columns if column is not None)


def _read_column(name: str, node: Node, nested: bool) -> Column | None:
    type_ = node.value("type")
    kinds = [kind for kind in (type_ if isinstance(type_, list) else [type_]) if kind != "null"]
    allowed = SCALARS if nested else (*SCALARS, "array")
    if len(kinds) != 1 or kinds[0] not in allowed:
        demand = f"must be one of {', '.join(allowed)}, each with null or without"
        node.wrong("type", f"{demand}, {got(type_)}")
        return None
    kind = kinds[0]
    if kind == "array":
        return Column(name, kind, _read_fields(node))
    own = None if nested else {"number": "x-decimal", "string": "x-date"}.get(kind)
    node.refuse_others(f"a property of type {kind}", ("type", own) if own else ("type",))
    decimal = _read_decimal(node) if own == "x-decimal" and own in node else None
    formats = node.names(own) if own == "x-date" and own in node else ()
    return Column(name, kind, (), decimal, formats)


def _read_fields(node: Node) -> tuple[Column, ...]:
    node.refuse_others("a property of type array", ("type", "items"))
    items = node.child("items")
    if items is None:
        return ()
    items.refuse_others("items", ("type", "properties"))
    properties = items.child("properties")
    if properties is not None and not properties.node:
        properties.wrong("", "must hold at least one property, got {}")
    return read_columns(properties, nested=True)


def _read_decimal(node: Node) -> tuple[int, int] | None:
    value = node.value("x-decimal")
    if isinstance(value, list) and len(value) == 2 and is_decimal(*value):
        return value[0], value[1]
    demand = f"[precision, scale], precision from 1 to {MAX_PRECISION} and scale from 0 to the precision"
    node.wrong("x-decimal", f"must be {demand}, {got(value)}")
    return None
