"""What a contract that was read without a mistake must still meet: its parts name each other rightly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from etl.contract_parts import KEPT, Computed
from etl.expression import AGGREGATES, FUNCTIONS, ROW_FUNCTIONS, find_mistakes

if TYPE_CHECKING:
    from etl.contract import Column, Contract

# Columns that the job itself puts beside those of a contract.
RESERVED = frozenset(
    (
        *("line", "row", "texts", "is_object", "is_clean", "moment", "day", "value", "reason", "raw_line"),
        *("run_date", "file_path", "block_start", "row_id", "source_file", "run_id"),
        *("source_version", "age", "place"),
    )
)


def find_wrong_names(contract: Contract, required: tuple[str, ...]) -> list[str]:
    """Every mistake, in the order of the contract."""
    return [
        *_wrong_uses(contract, required),
        *_wrong_derived(contract),
        *_wrong_output(contract),
        *_wrong_rules(contract, required),
        *_wrong_csv(contract),
        *_wrong_expressions(contract),
    ]


def _wrong_uses(contract: Contract, required: tuple[str, ...]) -> Iterator[str]:
    delivered = {column.name: column for column in contract.columns}
    key = [(name, "x-etl.businessKey") for name in contract.business_key]
    present = [(name, "required") for name in required]
    present += [(r.column, "x-etl.reasons") for r in contract.rules if r.column and r.kind == "missing"]
    texts = [(r.column, "x-etl.reasons") for r in contract.rules if r.column and r.kind != "missing"]
    if contract.timestamp is not None:
        texts.append((contract.timestamp.source, "x-etl.timestamp.source"))
    if contract.category is not None:
        texts.append((contract.category.source, "x-etl.category.source"))
    for uses, is_right, demand in (
        (key, _is_exact, "a string, an integer or a decimal"),
        (present, _is_scalar, "a string, an integer or a number"),
        (texts, _is_text, "a string"),
    ):
        for name, where in uses:
            if name not in delivered:
                yield f"'{where}' names '{name}'; the properties are {', '.join(delivered)}"
            elif not is_right(delivered[name]):
                yield f"'{where}' names '{name}', which must be {demand}, is {delivered[name].type}"


def _is_scalar(column: Column) -> bool:
    return column.type != "array"


def _is_exact(column: Column) -> bool:
    """Whether equal values are the same to everyone: a double is rounded, a date may be the timestamp's."""
    return column.type in ("string", "integer") or column.decimal is not None


def _is_text(column: Column) -> bool:
    return column.type == "string" and not column.formats


def _wrong_derived(contract: Contract) -> Iterator[str]:
    delivered = {column.name for column in contract.columns}
    derived = []
    if contract.timestamp is not None:
        derived.append(contract.timestamp.column)
        if contract.timestamp.date_column != contract.timestamp.source:
            derived.append(contract.timestamp.date_column)
    if contract.category is not None:
        derived.append(contract.category.column)
    for name in derived:
        if name in delivered:
            yield f"'{name}' is both delivered and derived"
    for one in contract.computed:
        if one.name in {*delivered, *derived}:
            yield f"'{one.name}' is both computed and delivered or derived"


def _wrong_output(contract: Contract) -> Iterator[str]:
    known = {*contract.base_types, *(one.name for one in contract.computed)}
    for name in contract.output:
        if name not in known:
            yield f"'x-etl.output' names '{name}', which is neither delivered nor derived"
    for name in contract.base_types if contract.computed else contract.output:
        if name in RESERVED:
            yield f"'{name}' is a column of the job's own, so it needs another name"
    for name in contract.business_key:
        if name not in contract.output:
            yield f"'x-etl.output' must hold '{name}' of the business key"
    if contract.format.unknown_columns == "keep" and KEPT not in contract.output:
        yield f"'x-etl.output' must hold '{KEPT}', where unknown columns are kept"
    types: Mapping[str, str] = {}
    if all(name in known for name in contract.output):
        types = contract.output_types
    for name in contract.partition_by:
        if types and types.get(name) != "string":
            yield (
                f"'x-etl.partitionBy' names '{name}', which must be a string of x-etl.output, "
                f"is {types.get(name, 'not there')}"
            )
        if name in contract.business_key:
            yield f"'x-etl.partitionBy' names '{name}', which is of the business key"
    order = contract.order_column
    if types and order is not None and (mistake := order_mistake(order, types)):
        yield f"'x-etl.orderColumn' {mistake}"
    if contract.partition_by and set(contract.output) <= set(contract.partition_by):
        yield "'x-etl.output' must hold a column that is not in x-etl.partitionBy"


def order_mistake(name: str, types: Mapping[str, str]) -> str | None:
    """Why rows cannot be put in order by a column; `run_date` alone means by delivery."""
    if name == "run_date":
        return None
    kind = types.get(name, "not there")
    if kind == "not there" or kind.startswith(("array<", "map<", "struct<")):
        return f"must be run_date or a column of x-etl.output with one value, '{name}' is {kind}"
    return None


def _wrong_rules(contract: Contract, required: tuple[str, ...]) -> Iterator[str]:
    judged = {rule.column for rule in contract.rules if rule.column is not None}
    for name in (*contract.business_key, *required):
        if name not in judged:
            yield f"'{name}' must be there, so 'x-etl.reasons' needs a rule for it"
    for name in {reason for reason in contract.reasons if contract.reasons.count(reason) > 1}:
        yield f"'x-etl.reasons' gives the reason '{name}' twice"
    for kind in ("wrongType", "notATimestamp"):
        has_rule = kind in {rule.kind for rule in contract.rules}
        is_needed = kind == "wrongType" or contract.timestamp is not None
        if is_needed and not has_rule:
            yield f"'x-etl.reasons' needs a reason for rule '{kind}'"
        if has_rule and not is_needed:
            yield f"'x-etl.reasons' has a rule '{kind}', but there is no x-etl.timestamp"


def _wrong_csv(contract: Contract) -> Iterator[str]:
    if not contract.format.is_csv:
        if contract.shapes:
            yield "'x-etl.shapes' are of CSV headers, but x-etl.format is jsonLines"
        return
    names = {column.name for column in contract.columns}
    for column in contract.columns:
        if column.type == "array":
            yield f"'properties.{column.name}' is an array, which a line of CSV cannot hold"
    for shape in contract.shapes:
        here = f"'x-etl.shapes.{shape.name}'"
        targets = [source.column for source in shape.sources.values() if source.column is not None]
        for name in dict.fromkeys(targets):
            if name not in names:
                yield f"{here} gives '{name}'; the properties are {', '.join(sorted(names))}"
            elif targets.count(name) > 1:
                yield f"{here} gives '{name}' twice"
        for name in sorted(names - set(targets)):
            yield f"{here} gives no '{name}'"


def _wrong_expressions(contract: Contract) -> Iterator[str]:
    columns = [name for name, type_ in contract.base_types.items() if "<" not in type_]
    yield from _mistakes(contract.computed, columns, "x-etl.computed", (*FUNCTIONS, *ROW_FUNCTIONS))
    if contract.aggregate is None or not set(contract.output) <= {
        *contract.base_types,
        *(one.name for one in contract.computed),
    }:
        return
    types = contract.output_types
    for name in contract.aggregate.group_by:
        if name not in types or types[name] == "double" or "<" in types[name]:
            demand = "a column of x-etl.output that is no double and no list"
            yield f"'x-etl.aggregate.groupBy' names '{name}', which must be {demand}"
    usable = [name for name, type_ in types.items() if "<" not in type_]
    functions = (*FUNCTIONS, *ROW_FUNCTIONS, *AGGREGATES)
    yield from _mistakes(contract.aggregate.columns, usable, "x-etl.aggregate.columns", functions)


def _mistakes(
    computed: tuple[Computed, ...], columns: list[str], where: str, functions: tuple[Any, ...]
) -> Iterator[str]:
    for one in computed:
        if one.name in RESERVED:
            yield f"'{where}.{one.name}' is a column of the job's own"
        for mistake in find_mistakes(one.expression, columns, functions):
            yield f"'{where}.{one.name}.expression' {mistake}"
