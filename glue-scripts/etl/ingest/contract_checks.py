"""Checks the parts of a contract against each other. At synth `contracts/contract-checks.ts` asks for
the same, in the same words but for those of expressions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from etl.ingest.contract import KEPT
from etl.ingest.contract_expressions import (
    RESERVED,
    all_types,
    output_types,
    reserved,
    wrong_aggregate,
    wrong_computed,
)
from etl.ingest.contract_nodes import Mistake

if TYPE_CHECKING:
    from etl.ingest.contract import Column, Contract

_BASE = ("properties", "timestamp", "category", "format")
_ALL = (*_BASE, "computed")


def find_cross_mistakes(
    contract: Contract, required: tuple[str, ...], broken: Collection[str]
) -> list[Mistake]:
    """Every mistake of parts that are right in themselves; `broken` are those that are not."""
    found: list[Mistake] = []
    for parts, find in CHECKS:
        if not any(part in broken for part in parts):
            found += find(contract, required)
    return found


def _wrong_use(
    contract: Contract, field: str, name: str, is_met: Callable[[Column], bool], demand: str
) -> Iterator[Mistake]:
    column = next((one for one in contract.columns if one.name == name), None)
    if column is None:
        known = ", ".join(one.name for one in contract.columns)
        yield field, f"must name a property, got '{name}'; the properties are {known}"
    elif not is_met(column):
        kind = "a date" if column.formats else column.type
        yield field, f"must name {demand}, got '{name}', which is {kind}"


def _is_exact(column: Column) -> bool:
    """True if equal values are equal for every reader: a double is rounded, a date may be the timestamp's."""
    return (column.type in ("string", "integer") and not column.formats) or column.decimal is not None


def _is_scalar(column: Column) -> bool:
    return column.type != "array"


def _is_text(column: Column) -> bool:
    return column.type == "string" and not column.formats


_EXACT = (_is_exact, "a string, an integer or a decimal")
_SCALAR = (_is_scalar, "a string, an integer or a number")
_TEXT = (_is_text, "a string")


def _wrong_key(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for name in contract.business_key:
        yield from _wrong_use(contract, "x-etl.businessKey", name, *_EXACT)


def _wrong_required(contract: Contract, required: tuple[str, ...]) -> Iterator[Mistake]:
    for name in required:
        yield from _wrong_use(contract, "required", name, *_SCALAR)


def _wrong_rule_columns(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for index, rule in enumerate(contract.rules):
        if rule.column is not None:
            demand = _SCALAR if rule.kind == "missing" else _TEXT
            yield from _wrong_use(contract, f"x-etl.reasons[{index}].column", rule.column, *demand)


def _wrong_timestamp(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    if contract.timestamp is not None:
        yield from _wrong_use(contract, "x-etl.timestamp.source", contract.timestamp.source, *_TEXT)


def _wrong_category(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    if contract.category is not None:
        yield from _wrong_use(contract, "x-etl.category.source", contract.category.source, *_TEXT)


def _derived(contract: Contract) -> Iterator[tuple[str, str]]:
    """Columns that are neither delivered nor computed, by where they are named."""
    if contract.timestamp is not None:
        yield "x-etl.timestamp.column", contract.timestamp.column
        if contract.timestamp.date_column != contract.timestamp.source:
            yield "x-etl.timestamp.dateColumn", contract.timestamp.date_column
    if contract.category is not None:
        yield "x-etl.category.column", contract.category.column


def _wrong_new_names(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    taken = {column.name for column in contract.columns}
    named = [*_derived(contract)]
    if contract.format.unknown_columns == "keep":
        named.append(("x-etl.format.unknownColumns", KEPT))
    named += [(f"x-etl.computed.{one.name}", one.name) for one in contract.computed]
    for field, name in named:
        if name in taken:
            yield field, f"must be another name: '{name}' is taken"
        taken.add(name)


def _wrong_output(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    known = all_types(contract)
    for name in contract.output:
        if name not in known:
            demand = "must name a delivered, derived or computed column"
            yield "x-etl.output", f"{demand}, got '{name}'; the columns are {', '.join(known)}"
    places = {name: field for field, name in _derived(contract)}
    for name in contract.base_types:
        # An expression sees all of them.
        if name in RESERVED and (contract.computed or name in contract.output):
            yield reserved(places.get(name, f"properties.{name}"))


def _key_not_published(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for name in contract.business_key:
        if name not in contract.output:
            yield "x-etl.output", f"must hold '{name}' of x-etl.businessKey"


def _kept_not_published(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    if contract.format.unknown_columns == "keep" and KEPT not in contract.output:
        yield "x-etl.output", f"must hold '{KEPT}', since x-etl.format.unknownColumns is keep"


def _wrong_partitions(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    types = output_types(contract)
    for name in contract.partition_by:
        kind = types.get(name, "not published")
        if kind != "string":
            demand = "must name string columns of x-etl.output"
            yield "x-etl.partitionBy", f"{demand}, got '{name}', which is {kind}"


def _key_in_partitions(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for name in contract.partition_by:
        if name in contract.business_key:
            yield "x-etl.partitionBy", f"must not name '{name}', a column of x-etl.businessKey; leave it out"


def _only_partitions(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    if contract.partition_by and set(contract.output) <= set(contract.partition_by):
        yield "x-etl.output", "must hold a column that is not in x-etl.partitionBy"


def _wrong_order(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    order = contract.order_column
    if order is not None and (mistake := order_mistake(order, output_types(contract))):
        yield "x-etl.orderColumn", mistake


def order_mistake(name: str, types: Mapping[str, str]) -> str | None:
    """Why rows cannot be put in order by a column; `run_date` alone means by delivery."""
    if name == "run_date":
        return None
    kind = types.get(name, "not published")
    if kind == "not published" or kind.startswith(("array<", "map<", "struct<")):
        demand = "must be run_date or a column of x-etl.output that is not a list or a map"
        return f"{demand}, got '{name}', which is {kind}"
    return None


def _unjudged(contract: Contract, required: tuple[str, ...]) -> Iterator[Mistake]:
    judged = {rule.column for rule in contract.rules}
    for name in dict.fromkeys((*contract.business_key, *required)):
        if name not in judged:
            yield "x-etl.reasons", f"must hold a rule for '{name}', which is required"


def _repeated_reasons(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for index, reason in enumerate(contract.reasons):
        first = contract.reasons.index(reason)
        if first < index:
            field = f"x-etl.reasons[{index}].reason"
            yield field, f"must differ from that of x-etl.reasons[{first}], got '{reason}'"


def _wrong_kinds(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    kinds = [rule.kind for rule in contract.rules]
    timestamp = contract.timestamp
    if "wrongType" not in kinds:
        yield "x-etl.reasons", "must hold a rule 'wrongType'"
    if timestamp is not None and "notATimestamp" not in kinds:
        yield "x-etl.reasons", "must hold a rule 'notATimestamp', since there is an x-etl.timestamp"
    for index, rule in enumerate(contract.rules):
        here = f"x-etl.reasons[{index}]"
        if rule.kind != "notATimestamp":
            continue
        if timestamp is None:
            yield f"{here}.rule", "must not be notATimestamp without x-etl.timestamp"
        elif rule.column != timestamp.source:
            yield (
                f"{here}.column",
                f"must be '{timestamp.source}', the source of x-etl.timestamp, got '{rule.column}'",
            )


def _shapes_of_no_csv(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    if contract.shapes and not contract.format.is_csv:
        yield "x-etl.shapes", "must be left out: shapes describe CSV headers, and x-etl.format is jsonLines"


def _arrays_of_csv(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    for column in contract.columns:
        if contract.format.is_csv and column.type == "array":
            yield f"properties.{column.name}", "must not be an array: a line of CSV cannot hold one"


def _wrong_shapes(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    names = [column.name for column in contract.columns]
    for shape in contract.shapes if contract.format.is_csv else ():
        here = f"x-etl.shapes.{shape.name}"
        for of, source in shape.sources.items():
            if source.column is not None and source.column not in names:
                known = ", ".join(names)
                yield (
                    f"{here}.{of}",
                    f"must name a property, got '{source.column}'; the properties are {known}",
                )
        for name in names:
            given = [of for of, source in shape.sources.items() if source.column == name]
            if len(given) != 1:
                yield (
                    here,
                    f"must fill '{name}' from one delivered column, got {', '.join(given) or 'nothing'}",
                )


# Each check with the parts that must be valid before it can run.
CHECKS: tuple[tuple[tuple[str, ...], Callable[[Any, tuple[str, ...]], Iterable[Mistake]]], ...] = (
    (("properties", "businessKey"), _wrong_key),
    (("properties", "required"), _wrong_required),
    (("properties", "reasons"), _wrong_rule_columns),
    (("properties", "timestamp"), _wrong_timestamp),
    (("properties", "category"), _wrong_category),
    (_ALL, _wrong_new_names),
    ((*_ALL, "output"), _wrong_output),
    (("output", "businessKey"), _key_not_published),
    (("output", "format"), _kept_not_published),
    ((*_ALL, "output", "partitionBy"), _wrong_partitions),
    (("partitionBy", "businessKey"), _key_in_partitions),
    (("output", "partitionBy"), _only_partitions),
    ((*_ALL, "output", "orderColumn"), _wrong_order),
    (("reasons", "businessKey", "required"), _unjudged),
    (("reasons",), _repeated_reasons),
    (("reasons", "timestamp"), _wrong_kinds),
    (("format", "shapes"), _shapes_of_no_csv),
    (("format", "properties"), _arrays_of_csv),
    (("format", "shapes", "properties"), _wrong_shapes),
    (_ALL, wrong_computed),
    ((*_ALL, "output", "aggregate"), wrong_aggregate),
)
