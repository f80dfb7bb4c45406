"""Checks the expressions of a contract: they may name existing columns, and call what every engine reads
alike. Whether Spark takes them is asked in `transforms/compute_columns.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from etl.ingest.contract import Computed
from etl.ingest.contract_nodes import Mistake
from etl.run.expression import AGGREGATES, FUNCTIONS, ROW_FUNCTIONS, find_mistakes

if TYPE_CHECKING:
    from etl.ingest.contract import Contract

# Columns that the job itself puts beside those of a contract.
RESERVED = frozenset(
    (
        *("line", "row", "texts", "is_object", "is_clean", "moment", "day", "value", "reason", "raw_line"),
        *("reason_values", "run_date", "file_path", "block_start", "row_id", "source_file", "run_id"),
        *("source_version", "age", "place"),
    )
)


def wrong_computed(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    columns = _scalars(contract.base_types)
    yield from _expressions(contract.computed, columns, "x-etl.computed", (*FUNCTIONS, *ROW_FUNCTIONS))


def wrong_aggregate(contract: Contract, _: tuple[str, ...]) -> Iterator[Mistake]:
    aggregate, types = contract.aggregate, output_types(contract)
    # Mistakes in the output were reported already.
    if aggregate is None or len(types) < len(contract.output):
        return
    columns = _scalars(types)
    for name in aggregate.group_by:
        if name not in columns or types[name] == "double":
            demand = "columns of x-etl.output that are neither double nor a list"
            yield "x-etl.aggregate.groupBy", f"must name {demand}, got '{name}'"
    functions = (*FUNCTIONS, *ROW_FUNCTIONS, *AGGREGATES)
    yield from _expressions(aggregate.columns, columns, "x-etl.aggregate.columns", functions)


def _scalars(types: Mapping[str, str]) -> list[str]:
    return [name for name, type_ in types.items() if "<" not in type_]


def _expressions(
    computed: Iterable[Computed], columns: list[str], where: str, functions: tuple[str, ...]
) -> Iterator[Mistake]:
    for one in computed:
        if one.name in RESERVED:
            yield reserved(f"{where}.{one.name}")
        for mistake in find_mistakes(one.expression, columns, functions):
            yield f"{where}.{one.name}.expression", mistake


def reserved(field: str) -> Mistake:
    return field, "must have another name: the job adds a column of this name"


def all_types(contract: Contract) -> Mapping[str, str]:
    return {**contract.base_types, **{one.name: one.type for one in contract.computed}}


def output_types(contract: Contract) -> Mapping[str, str]:
    """The types of the output, without unknown names."""
    types = all_types(contract)
    return {name: types[name] for name in contract.output if name in types}
