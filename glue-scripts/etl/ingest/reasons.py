"""Why rows were rejected, in words: the reason, its column, and what was expected of it.

A row has one reason. Of a wrong type it may have several columns, and each of them is counted."""

from collections.abc import Iterable, Mapping, Sequence

from etl.ingest.contract import Bounds, Column, Contract, Moments, NumberForm, Words, glue_type
from etl.ingest.contract import Rule as ContractRule
from etl.run.quality import Rule
from etl.run.rejected import A_VALUE, RULE, Place, Rejected

OF_THE_DECLARED_TYPE = "of the declared type"
SHOWN_VALUES = 10  # of a list of allowed values
A_FOLDER = "a text of at most 70 bytes without NUL, other than __HIVE_DEFAULT_PARTITION__"
ENTRY = "[]."  # `items[].quantity`: a field of the entries of an array


def wrong_types(contract: Contract) -> list[str]:
    """The reasons of rows with a wrong type."""
    return [rule.reason for rule in contract.rules if rule.kind == "wrongType"]


def reasons_by_column(contract: Contract) -> list[str]:
    """The reasons whose columns differ from row to row."""
    reasons = [rule.reason for rule in contract.rules]
    of_values = [rule.reason for rule in contract.rules if rule.kind in ("wrongType", "notAllowed")]
    return [one for one in contract.reasons if one in of_values or reasons.count(one) > 1]


def describe_rejected(
    contract: Contract,
    rules: Sequence[Rule],
    by_reason: Mapping[str, int],
    by_column: Mapping[tuple[str, str], int],
    first: Mapping[tuple[str, str], Place] | None = None,
) -> list[Rejected]:
    """The rejected rows by reason, in the order of reasons, then by column, most rows first. `rules` are the
    rules that quarantine. `by_column` counts the rows with a reason of `reasons_by_column` by reason and
    column. A row may be in several columns, and is under "" if its column is not known."""
    places = first or {}
    of_columns = {reason: _expected_values(contract, reason) for reason in reasons_by_column(contract)}
    found = []
    for reason, column, expects in (*_of_contract(contract), *_of_rules(contract, rules)):
        rows = by_reason.get(reason, 0)
        if rows and reason not in of_columns:
            found.append(Rejected(reason, column, expects, rows, places.get((reason, ""))))
        elif rows:
            of_reason = [(name, count) for (of, name), count in by_column.items() if of == reason]
            for name, count in sorted(of_reason, key=lambda item: (-item[1], item[0])):
                expects = of_columns[reason].get(name, OF_THE_DECLARED_TYPE)
                found.append(Rejected(reason, name, expects, count, places.get((reason, name))))
    return found


def _of_contract(contract: Contract) -> Iterable[tuple[str, str, str]]:
    """Triples of reason, column and what is expected of it."""
    encoding = contract.format.encoding
    line = {
        "csv": f"a row of CSV in {encoding} (x-etl.format.encoding)",
        "xml": f"an element of XML in {encoding} (x-etl.format.encoding)",
        "parquet": "a row of Parquet",
    }.get(contract.format.kind, "a JSON object")
    for reason in contract.reasons:
        [rule, *others] = [one for one in contract.rules if one.reason == reason]
        if others or not rule.names:
            yield reason, "", line
        else:
            expected = _expected_of_named(contract, rule)
            yield reason, ", ".join(expected), next(iter(expected.values()))


def _expected_values(contract: Contract, reason: str) -> dict[str, str]:
    """The words for what the rules of a reason expect of each column, and of each part of one."""
    found: dict[str, str] = {}
    for rule in contract.rules:
        if rule.reason != reason:
            continue
        if rule.kind == "wrongType":
            expected = _expected_types(contract)
        elif rule.kind == "notAllowed":
            expected = _allowed_values(contract)
        else:
            expected = _expected_of_named(contract, rule)
        for label, words in expected.items():
            found[label] = f"{found[label]}, {words}" if label in found else words
    return found


def _expected_of_named(contract: Contract, rule: ContractRule) -> dict[str, str]:
    """The words for what a rule expects of the columns that it names."""
    if rule.kind == "missing":
        return {contract.label(name): A_VALUE for name in rule.names}
    [column] = [one for one in contract.columns if one.name == rule.column]
    of = contract.timestamp
    if of is not None and of.source == rule.column:
        return {column.label: f"a timestamp in a format of the contract{_of_zone(of.moments)}"}
    return {column.label: _expected(column)}


def _of_rules(contract: Contract, rules: Sequence[Rule]) -> Iterable[tuple[str, str, str]]:
    for rule in rules:
        yield rule.name, ", ".join(rule.columns), f"{RULE}{rule.name}"


def _expected_types(contract: Contract) -> dict[str, str]:
    """The expected type of each part that may have a wrong one (`etl.ingest.transforms.judge_types`)."""
    found = {column.label: _expected(column) for column in contract.columns}
    for column in contract.columns:
        found |= {f"{column.name}{ENTRY}{field.name}": _expected(field) for field in column.fields}
    found |= {one.name: f"a value that fits {one.type}" for one in contract.computed}
    return found | dict.fromkeys(contract.partition_by, A_FOLDER)


def _allowed_values(contract: Contract) -> dict[str, str]:
    """The allowed values of each column that has a list or a range
    (`etl.ingest.transforms.judge_allowed`)."""
    return {column.label: _allowed(column) for column in contract.columns if _allowed(column)}


def _allowed(column: Column) -> str:
    shown = [repr(value) for value in column.allowed[:SHOWN_VALUES]]
    more = len(column.allowed) - len(shown)
    listed = f"one of {', '.join(shown)}{f' and {more} more' if more else ''}"
    return " and ".join([*([listed] if shown else []), *_limits(column.bounds)])


def _limits(bounds: Bounds) -> Iterable[str]:
    words = {
        "at least": bounds.minimum,
        "more than": bounds.exclusive_minimum,
        "at most": bounds.maximum,
        "less than": bounds.exclusive_maximum,
    }
    return (f"{word} {number}" for word, number in words.items() if number is not None)


def _expected(column: Column) -> str:
    if column.formats:
        return f"a date in {' or '.join(column.formats)}"
    if column.moments is not None:
        patterns = " or ".join(pattern.text for pattern in column.moments.patterns)
        return f"a timestamp in {patterns}{_of_zone(column.moments)}"
    if column.decimal is not None:
        return f"a {glue_type(column)}{_of_form(column)}"
    if column.type == "array":
        return f"an array of {column.entries or 'object'}s"
    return f"{'an' if column.type in ('integer', 'object') else 'a'} {column.type}{_of_form(column)}"


def _of_form(column: Column) -> str:
    if column.words != Words():
        return f" (true: {', '.join(column.words.true)}; false: {', '.join(column.words.false)})"
    if column.number != NumberForm():
        decimals = "" if column.type == "integer" else f"{column.number.decimal}5"
        return f" written like 1{column.number.thousands}234{decimals}"
    return ""


def _of_zone(moments: Moments) -> str:
    """The zone of local times, and which of them are refused; "" for UTC, and where each text says its
    zone."""
    if moments.time_zone == "UTC" or all(pattern.has_zone for pattern in moments.patterns):
        return ""
    refused = (moments.nonexistent == "quarantine", moments.ambiguous == "quarantine")
    rule = {
        (True, True): " that occurs once",
        (True, False): " that exists",
        (False, True): " that does not occur twice",
    }
    return f" of {moments.time_zone}{rule.get(refused, '')}"
