"""Why rows were rejected, in words: the reason, its column, and what was expected of it.

A row has one reason. Of a wrong type it may have several columns, and each of them is counted."""

from collections.abc import Iterable, Mapping, Sequence

from etl.ingest.contract import Column, Contract, glue_type
from etl.run.quality import Rule
from etl.run.rejected import A_VALUE, RULE, Place, Rejected

OF_THE_DECLARED_TYPE = "of the declared type"
ENTRY = "[]."  # `items[].quantity`: a field of the entries of an array


def wrong_types(contract: Contract) -> list[str]:
    """The reasons whose columns differ from row to row."""
    return [rule.reason for rule in contract.rules if rule.kind == "wrongType"]


def describe_rejected(
    contract: Contract,
    rules: Sequence[Rule],
    by_reason: Mapping[str, int],
    by_column: Mapping[tuple[str, str], int],
    first: Mapping[tuple[str, str], Place] | None = None,
) -> list[Rejected]:
    """The rejected rows by reason, in the order of reasons, then by column, most rows first. `rules` are the
    rules that quarantine. `by_column` counts the rows with a reason of `wrong_types` by reason and column. A
    row may be in several columns, and is under "" if its column is not known."""
    places = first or {}
    expected = _expected_types(contract)
    found = []
    for reason, column, expects in (*_of_contract(contract), *_of_rules(contract, rules)):
        rows = by_reason.get(reason, 0)
        if rows and reason not in wrong_types(contract):
            found.append(Rejected(reason, column, expects, rows, places.get((reason, ""))))
        elif rows:
            of_reason = [(name, count) for (of, name), count in by_column.items() if of == reason]
            for name, count in sorted(of_reason, key=lambda item: (-item[1], item[0])):
                expects = expected.get(name, OF_THE_DECLARED_TYPE)
                found.append(Rejected(reason, name, expects, count, places.get((reason, name))))
    return found


def _of_contract(contract: Contract) -> Iterable[tuple[str, str, str]]:
    """Triples of reason, column and what is expected of it."""
    encoding = contract.format.encoding
    line = (
        f"a row of CSV in {encoding} (x-etl.format.encoding)" if contract.format.is_csv else "a JSON object"
    )
    for rule in contract.rules:
        if rule.kind == "missing":
            yield rule.reason, str(rule.column), A_VALUE
        elif rule.kind == "notATimestamp" and contract.timestamp is not None:
            yield rule.reason, contract.timestamp.source, "a timestamp in a format of the contract"
        else:
            yield rule.reason, "", line


def _of_rules(contract: Contract, rules: Sequence[Rule]) -> Iterable[tuple[str, str, str]]:
    for rule in rules:
        yield rule.name, ", ".join(rule.columns), f"{RULE}{rule.name}"


def _expected_types(contract: Contract) -> dict[str, str]:
    """The expected type of each part that may have a wrong one (`etl.ingest.transforms.judge_types`)."""
    found = {column.name: _expected(column) for column in contract.columns}
    for column in contract.columns:
        found |= {f"{column.name}{ENTRY}{field.name}": _expected(field) for field in column.fields}
    found |= {one.name: f"a value that fits {one.type}" for one in contract.computed}
    return found | dict.fromkeys(contract.partition_by, "a text of at most 70 bytes")


def _expected(column: Column) -> str:
    if column.formats:
        return f"a date in {' or '.join(column.formats)}"
    if column.decimal is not None:
        return f"a {glue_type(column)}"
    if column.type == "array":
        return "an array of objects"
    return f"{'an' if column.type == 'integer' else 'a'} {column.type}"
