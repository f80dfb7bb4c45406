"""The contract of a pipeline as data: a JSON Schema (2020-12) with one extension object, `x-etl`.

The code knows no column and no category by name. The columns that it understands are scalars (string,
integer, number), of which a string may be a date (`x-date`, its formats) and a number a decimal
(`x-decimal`, precision and scale), and arrays of objects of scalars; everything else in JSON Schema is
refused, not ignored. At synth `contracts/contract-mistakes.ts` refuses the same in the same words; the
cases in `tests/cases/contracts.json` hold for both. What only Spark knows is checked by the job alone,
before a row is read."""

import json
import re
from dataclasses import replace

from etl.errors import InvalidContract
from etl.ingest.contract import (
    CategoryRule,
    Contract,
    Format,
    Moments,
    Pattern,
    Rule,
    Shape,
    Source,
    TimestampRule,
)
from etl.ingest.contract_checks import find_cross_mistakes
from etl.ingest.contract_columns import read_columns
from etl.ingest.contract_nodes import Mistake, Node, as_json, got
from etl.ingest.contract_parts import read_aggregate, read_computed, read_format, read_shapes

DRAFT = "https://json-schema.org/draft/2020-12/schema"
RULES_WITH_COLUMN = ("missing", "notATimestamp")
SCHEMA = ("$schema", "$id", "type", "properties", "required", "additionalProperties", "x-etl")
ON_DRIFT = ("report", "fail")
RULES = ("notAnObject", "wrongType", *RULES_WITH_COLUMN)
MAX_LOOKBACK_DAYS = 36_500  # a hundred years: no delivery is older
EXTENSION = ("businessKey", "lookbackDays", "onDrift", "reasons", "timestamp", "category", "output")
OPTIONAL = ("format", "shapes", "computed", "partitionBy", "aggregate", "orderColumn")


def parse_contract(text: str, name: str) -> Contract:
    """Reads and validates a contract. Raises InvalidContract with every mistake; `name` says whose they
    are."""
    try:
        document = json.loads(text, parse_float=_number, parse_constant=_refuse_constant)
    except ValueError as error:
        raise InvalidContract(f"{name} is not JSON: {error}") from error
    contract, mistakes = _read(document)
    if contract is None or mistakes:
        texts = (f"'{field}' {words}" if field else words for field, words in mistakes)
        raise InvalidContract(f"{name}: " + "; ".join(texts))
    if contract.format.is_csv:
        own = Shape("", {column.name: Source(column.name) for column in contract.columns})
        return replace(contract, shapes=(own, *contract.shapes))
    return contract


def _number(text: str) -> float | int:
    """JSON knows one kind of number: 7.0 is 7."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _read(document: object) -> tuple[Contract | None, list[Mistake]]:
    """The contract and its mistakes. The contract is usable only if there are none."""
    if not isinstance(document, dict):
        return None, [("", f"must be an object, {got(document)}")]
    mistakes: list[Mistake] = []
    schema = Node(document, "", mistakes)
    _refuse_schema(schema)
    extension = schema.child("x-etl")
    contract = _read_extension(extension) if extension is not None else None
    columns = read_columns(schema.child("properties"))
    required = schema.names("required")
    if contract is None:
        return None, mistakes
    contract = replace(contract, columns=columns)
    broken = {_part_of(field) for field, _ in mistakes}
    return contract, mistakes + find_cross_mistakes(contract, required, broken)


def _part_of(field: str) -> str:
    """The part of the contract that a field belongs to: `output` of `x-etl.output`."""
    first, *others = re.split(r"[.\[]", field)
    return others[0] if first == "x-etl" and others else first


def _refuse_schema(schema: Node) -> None:
    if schema.value("$schema") != DRAFT:
        schema.wrong("$schema", f"must be '{DRAFT}', {got(schema.value('$schema'))}")
    schema.refuse_others("a contract", SCHEMA)
    for keyword, only in (("type", "object"), ("additionalProperties", True)):
        value = schema.node.get(keyword, only)
        # 1 equals True, and is not a JSON Schema.
        if value != only or type(value) is not type(only):
            schema.wrong(keyword, f"must be {as_json(only)} or left out, {got(value)}")


def _read_extension(node: Node) -> Contract:
    node.refuse_others("x-etl", EXTENSION + OPTIONAL)
    lookback_days = node.whole("lookbackDays", 0, MAX_LOOKBACK_DAYS)
    on_drift = node.one_of("onDrift", ON_DRIFT) if "onDrift" in node else None
    return Contract(
        columns=(),
        business_key=node.names("businessKey"),
        rules=_read_rules(node),
        timestamp=_read_timestamp(node.child("timestamp")) if "timestamp" in node else None,
        category=_read_category(node.child("category")) if "category" in node else None,
        output=node.names("output"),
        lookback_days=lookback_days,
        on_drift=on_drift or ON_DRIFT[0],
        format=read_format(node.child("format")) if "format" in node else Format(),
        shapes=read_shapes(node.child("shapes")) if "shapes" in node else (),
        computed=read_computed(node.child("computed")) if "computed" in node else (),
        partition_by=node.names("partitionBy") if "partitionBy" in node else (),
        aggregate=read_aggregate(node.child("aggregate")) if "aggregate" in node else None,
        order_column=node.text("orderColumn") if "orderColumn" in node else None,
    )


def _read_rules(extension: Node) -> tuple[Rule, ...]:
    rules = []
    for index, node in enumerate(extension.children("reasons", "rule")):
        kind = node.one_of("rule", RULES) if node is not None else None
        if node is None or kind is None:
            continue
        has_column = kind in RULES_WITH_COLUMN
        node.refuse_others(f"a rule {kind}", ("reason", "rule", *(("column",) if has_column else ())))
        if index == 0 and kind != RULES[0]:
            demand = "must be notAnObject: the other rules can only judge objects"
            node.wrong("rule", f"{demand}, {got(kind)}")
        reason = node.text("reason")
        rules.append(Rule(reason, kind, node.text("column") if has_column else None))
    return tuple(rules)


def _read_timestamp(node: Node | None) -> TimestampRule | None:
    if node is None:
        return None
    node.refuse_others("a timestamp", ("source", "column", "dateColumn", "formats", "dateFormats"))
    source, column, date_column = (node.text(key) for key in ("source", "column", "dateColumn"))
    formats = node.names("formats")
    date_formats = node.names("dateFormats") if "dateFormats" in node else ()
    return TimestampRule(source, column, date_column, Moments(tuple(map(Pattern, formats))), date_formats)


def _read_category(node: Node | None) -> CategoryRule | None:
    if node is None:
        return None
    node.refuse_others("a category", ("source", "column", "values", "default"))
    source, column = node.text("source"), node.text("column")
    values = node.child("values")
    texts = {name: values.text(name) for name in values.node} if values is not None else {}
    return CategoryRule(source, column, texts, node.text("default"))
