"""The parts of a contract that say how files are read and what is made of their columns: format, shapes,
computed columns, aggregate. Each may be left out."""

import re
from typing import Any

from etl.ingest.contract import MAX_PRECISION, Aggregate, CleanUp, Computed, Format, Shape, Source
from etl.ingest.contract_nodes import Node, got, is_text, is_whole
from etl.ingest.java_pattern import find_pattern_mistake, find_replacement_mistake

KINDS = ("jsonLines", "csv")
UNKNOWN_COLUMNS = ("ignore", "keep", "refuse")
CSV_KEYS = ("delimiter", "unknownColumns", "multiLine", "quote")
TYPES = ("string", "bigint", "double", "date", "timestamp")

STEPS = ("trim", "upper", "lower")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)", re.ASCII)


def decimal_of(type_: str) -> tuple[int, int] | None:
    """Precision and scale of `decimal(p,s)`; None of anything else."""
    match = _DECIMAL.fullmatch(type_)
    return (int(match[1]), int(match[2])) if match else None


def is_decimal(precision: Any, scale: Any) -> bool:
    """True if Spark and Glue have such a decimal."""
    return is_whole(precision, 1, MAX_PRECISION) and is_whole(scale, 0, precision)


def read_format(node: Node | None) -> Format:
    kind = node.one_of("kind", KINDS) if node is not None else None
    if node is None or kind is None:
        return Format()
    node.refuse_others(f"a format {kind}", ("kind", *(CSV_KEYS if kind == "csv" else ())))
    if kind != "csv":
        return Format()
    delimiter = node.node.get("delimiter", ",")
    if not isinstance(delimiter, str) or not re.fullmatch(r"[\t -~]", delimiter) or delimiter in '"\\':
        demand = "one ASCII character, neither a quote nor a backslash"
        node.wrong("delimiter", f"must be {demand}, {got(delimiter)}")
        delimiter = ","
    unknown = node.one_of("unknownColumns", UNKNOWN_COLUMNS) if "unknownColumns" in node else None
    is_multi_line, has_quotes = _read_lines_and_quotes(node)
    return Format(kind, delimiter, unknown or UNKNOWN_COLUMNS[0], is_multi_line, has_quotes)


def _read_lines_and_quotes(node: Node) -> tuple[bool, bool]:
    """Two flags: texts may go over several lines; there are quoted texts at all."""
    is_multi_line, quote = node.node.get("multiLine", False), node.node.get("quote", '"')
    if not isinstance(is_multi_line, bool):
        node.wrong("multiLine", f"must be true or false, {got(is_multi_line)}")
    if quote is not None and quote != '"':
        node.wrong("quote", f'must be "\\"", or null where quotes are data, {got(quote)}')
    if is_multi_line is True and quote is None:
        node.wrong("multiLine", "must be left out where quote is null: without quotes each line is a row")
    return is_multi_line is True, quote is not None


def read_shapes(shapes: Node | None) -> tuple[Shape, ...]:
    found = shapes.objects() if shapes is not None else []
    return tuple(Shape(name, {of: _source(node, of) for of in node.node}) for name, node in found)


def _source(shape: Node, of: str) -> Source:
    value = shape.value(of)
    if value is None or (is_text(value) and value):
        return Source(value)
    if not isinstance(value, dict):
        shape.wrong(of, f"must be a column, null, or an object with column and clean, {got(value)}")
        return Source(None)
    node = Node(value, shape.at(of), shape.mistakes)
    node.refuse_others("a source", ("column", "clean"))
    steps = node.list("clean", "step") if "clean" in node else []
    clean = tuple(_clean_up(node, step, f"clean[{at}]") for at, step in enumerate(steps))
    return Source(node.text("column") or None, clean)


def _clean_up(source: Node, step: object, where: str) -> CleanUp:
    if not isinstance(step, dict):
        if isinstance(step, str) and step in STEPS:
            return CleanUp(step)
        source.wrong(where, f"must be trim, upper, lower or an object with replace and with, {got(step)}")
        return CleanUp(STEPS[0])
    node = Node(step, source.at(where), source.mistakes)
    node.refuse_others("a step", ("replace", "with"))
    pattern, text = node.text("replace"), node.value("with")
    mistake = find_pattern_mistake(pattern) if pattern else None
    if mistake:
        node.wrong("replace", f"must be a regular expression, {got(pattern)}: {mistake}")
    if not is_text(text):
        node.wrong("with", f"must be a text, it may be empty, {got(text)}")
    elif mistake := find_replacement_mistake(text):
        node.wrong("with", f"{mistake}, {got(text)}")
    return CleanUp("replace", pattern, str(text))


def read_computed(columns: Node | None) -> tuple[Computed, ...]:
    return tuple(_computed(name, node) for name, node in (columns.objects() if columns is not None else []))


def _computed(name: str, node: Node) -> Computed:
    node.refuse_others("a computed column", ("expression", "type"))
    if not _NAME.fullmatch(name):
        node.wrong("", "must be named with small letters, digits and underscores, beginning with a letter")
    type_ = node.value("type")
    if not isinstance(type_, str) or (type_ not in TYPES and not is_decimal(*(decimal_of(type_) or (0, 0)))):
        node.wrong("type", f"must be one of {', '.join(TYPES)}, decimal(precision,scale), {got(type_)}")
    return Computed(name, node.text("expression"), str(type_))


def read_aggregate(node: Node | None) -> Aggregate | None:
    if node is None:
        return None
    node.refuse_others("an aggregate", ("groupBy", "columns"))
    group_by, given = node.names("groupBy"), node.child("columns")
    if given is not None and not given.node:
        given.wrong("", "must hold at least one column, got {}")
    columns = read_computed(given)
    for one in columns:
        if given is not None and one.name in group_by:
            given.wrong(one.name, "must have another name: it is in x-etl.aggregate.groupBy")
    return Aggregate(group_by, columns)
