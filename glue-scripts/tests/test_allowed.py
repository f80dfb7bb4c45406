"""Values that are not in their list or out of their range, and what a rejected row says of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from etl import session
from etl.ingest.contract import Bounds, Contract, NumberForm, Rule
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.find_rejected import find_rejected
from etl.ingest.headers import find_layouts
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.judge_allowed import find_parts_not_allowed
from etl.ingest.transforms.parse_csv import parse_csv
from etl.ingest.transforms.parse_lines import parse_lines
from etl.io import StoredObject
from plans import contract_of_document
from pyspark.sql import DataFrame, SparkSession

KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "whole": {"type": ["integer", "null"]},
    "double": {"type": ["number", "null"]},
    "exact": {"type": ["number", "null"], "x-decimal": [5, 2]},
    "long": {"type": ["number", "null"], "x-decimal": [38, 10]},
}


def contract_of(
    columns: Mapping[str, str], limits: Mapping[str, Mapping[str, Any]], format_: str = "jsonLines"
) -> Contract:
    """A contract of a text `id` and of `columns`, each with its kind. `limits` are those of columns. The last
    rule finds values that are not allowed."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"id": {"type": "string"}, **{name: KINDS[kind] for name, kind in columns.items()}},
        "required": ["id"],
        "x-etl": {
            **({"format": {"kind": "csv", "delimiter": ";"}} if format_ == "csv" else {}),
            "businessKey": ["id"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "no_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "output": ["id", *columns],
        },
    }
    made = contract_of_document(document)
    return replace(
        made,
        columns=tuple(replace(one, **limits.get(one.name, {})) for one in made.columns),
        rules=(*made.rules, Rule("not_allowed", "notAllowed", None)),
    )


def of_json(spark: SparkSession, lines: Sequence[str], contract: Contract) -> DataFrame:
    session.configure(spark, 0)
    frame = spark.createDataFrame(
        [(line, at, "2025-01-15", "f") for at, line in enumerate(lines)],
        "value string, row_id int, run_date string, file_path string",
    )
    return parse_lines(frame, contract)


def of_csv(spark: SparkSession, lines: Sequence[str], contract: Contract, folder: Path) -> DataFrame:
    session.configure(spark, 0)
    header = ";".join(column.name for column in contract.columns)
    file = folder / "a.csv"
    file.write_text(header)
    frame = spark.createDataFrame(
        [(line, at, "2025-01-15", "f") for at, line in enumerate(lines)],
        "value string, row_id int, run_date string, file_path string",
    )
    return parse_csv(
        frame, contract, find_layouts([StoredObject(str(file), file.name, len(header))], contract)
    )


def is_allowed(text: str, column: ContractColumn) -> bool:
    """The model, over fractions; doubles are compared as doubles."""
    number = float if column.type == "number" and column.decimal is None else Fraction
    value, bounds = number(text), column.bounds
    return (
        (bounds.minimum is None or value >= number(bounds.minimum))
        and (bounds.exclusive_minimum is None or value > number(bounds.exclusive_minimum))
        and (bounds.maximum is None or value <= number(bounds.maximum))
        and (bounds.exclusive_maximum is None or value < number(bounds.exclusive_maximum))
        and (not column.allowed or value in [number(allowed) for allowed in column.allowed])
    )


NUMBERS = {
    "whole": ["-9223372036854775808", "-9223372036854775807", "-1", "0", "1", "7", "9223372036854775807"],
    "double": ["-1.7976931348623157e308", "-1", "0", "-0.0", "0.1", "0.30000000000000004", "5e-324", "7"],
    "exact": ["-999.99", "-1", "-0.01", "0", "0.01", "7", "12.30", "12.34", "12.35", "999.98", "999.99"],
    "long": ["-9999999999999999999999999999.9999999999", "1.0000000001", "0.1", "0", "7", "12.3",
             "9999999999999999999999999999.9999999999", "9999999999999999999999999999.9999999998"],
}  # fmt: skip
BOUNDS = [
    *(
        "0",
        "-0.0",
        "0.005",
        "12.345",
        "-0.005",
        "0.1",
        "0.30000000000000004",
        "1e3",
        "1000",
        "-1000",
        "999.99",
        "7",
    ),
    *(
        "999.995",
        "-999.99",
        "1e-30",
        "-1e-30",
        "1e40",
        "-1e40",
        "9223372036854775807",
        "9223372036854775806.5",
    ),
    *(
        "-9223372036854775808",
        "-9223372036854775807",
        "1e400",
        "9999999999999999999999999999.9999999999",
        "1.00000000015",
    ),
]


def limited_columns(random: Random) -> dict[str, tuple[str, dict[str, Any]]]:
    """Columns of each kind, each with other limits."""
    sides = ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum")
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for kind in NUMBERS:
        each = [Bounds(**{side: bound}) for side, bound in zip(sides * len(BOUNDS), BOUNDS, strict=False)]
        each += [
            Bounds(**{side: random.choice(BOUNDS) for side in random.sample(sides, 2)}) for _ in range(8)
        ]
        lists = [(0, 7), (10**30, -(10**30), 1), (10**40,), (2**63 - 1, -(2**63))]
        limits: list[dict[str, Any]] = [{"bounds": bounds} for bounds in each]
        limits += [{"allowed": allowed} for allowed in lists]
        limits.append({"allowed": (0, 1, 7), "bounds": Bounds(exclusive_minimum="0")})
        found |= {f"{kind}_{at}": (kind, of) for at, of in enumerate(limits)}
    return found


def test_numbers_are_compared_exactly(each_spark: SparkSession) -> None:
    columns = limited_columns(Random(15))  # noqa: S311 (the same limits in every run)
    contract = contract_of(
        {name: kind for name, (kind, _) in columns.items()}, {name: of for name, (_, of) in columns.items()}
    )
    most = max(map(len, NUMBERS.values()))
    rows = [{kind: texts[at % len(texts)] for kind, texts in NUMBERS.items()} for at in range(most)]
    lines = [
        "{" + ",".join(['"id":"a"', *(f'"{name}":{row[kind]}' for name, (kind, _) in columns.items())]) + "}"
        for row in rows
    ]
    nulls = json.dumps({"id": "a", **dict.fromkeys(columns)})
    parts = find_parts_not_allowed(contract)
    judged = of_json(each_spark, [*lines, nulls], contract).select(
        "row_id", "is_clean", *(part.is_wrong.alias(part.name) for part in parts)
    )
    *found, of_nulls = judged.orderBy("row_id").collect()
    limited = {column.name: column for column in contract.columns if column.name in columns}
    wrong = [
        (row[kind], limited[name].bounds, limited[name].allowed)
        for row, judgements in zip(rows, found, strict=True)
        for name, (kind, _) in columns.items()
        if judgements[name] == is_allowed(row[kind], limited[name])
    ]
    assert (wrong, all(row["is_clean"] for row in found)) == ([], True)
    assert set(of_nulls[2:]) == {False}


LIMITS: dict[str, dict[str, Any]] = {
    "text": {"allowed": ("new", "paid", "it's", *(f"old {at}" for at in range(9)))},
    "whole": {"allowed": (1, 2, 30)},
    "double": {"bounds": Bounds(minimum="0", exclusive_maximum="1")},
    "exact": {"bounds": Bounds(exclusive_minimum="0", maximum="99.99")},
}
# The values of a row as JSON; the reason, and the columns that it names with their values.
ROWS: list[tuple[str, str | None, dict[str, str | None]]] = [
    ('"new",30,0,99.99', None, {}),
    ('"it\'s",1,0.999,0.01', None, {}),
    ("null,null,null,null", None, {}),
    ('"New",1,0.5,1', "not_allowed", {"text": "New"}),
    ('"new ",3,1,0', "not_allowed", {"text": "new ", "whole": "3", "double": "1", "exact": "0"}),
    ('"new",1,-0.001,100', "not_allowed", {"double": "-0.001", "exact": "100"}),
    ('"gone",1.5,7,1', "wrong_type", {"whole": "1.5"}),
    ('"gone",1,7,1.001', "wrong_type", {"exact": "1.001"}),
]


def classified(parsed: DataFrame, contract: Contract) -> DataFrame:
    rows = classify_rows(parsed, contract).persist()
    good = [row["row_id"] for row in rows.filter("reason is null").collect()]
    assert sorted(good) == [at for at, (_, reason, _) in enumerate(ROWS) if reason is None]
    return rows


def named(rows: DataFrame, contract: Contract) -> list[Any]:
    explained = explain_rejected(rows, contract).orderBy("row_id").collect()
    return [(row["reason"], row["reason_values"]) for row in explained]


def test_a_value_that_is_not_allowed_is_named_with_its_column(each_spark: SparkSession) -> None:
    contract = contract_of({name: name for name in LIMITS}, LIMITS)
    lines = []
    for values, _, _ in ROWS:
        members = zip(LIMITS, values.split(","), strict=True)
        lines.append('{"id":"a",' + ",".join(f'"{name}":{value}' for name, value in members) + "}")
    rows = classified(of_json(each_spark, lines, contract), contract)
    assert named(rows, contract) == [(reason, values) for _, reason, values in ROWS if reason]
    counts = {"wrong_type": 2, "not_allowed": 3}
    found = find_rejected(rows, contract, (), counts, files=(), with_places=False)
    assert [(one.clause, one.rows) for one in found] == [
        ("exact is not a decimal(5,2)", 1),
        ("whole is not an integer", 1),
        ("double is not at least 0 and less than 1", 2),
        ("exact is not more than 0 and at most 99.99", 2),
        (
            "text is not one of 'new', 'paid', \"it's\", 'old 0', 'old 1', 'old 2', 'old 3', 'old 4', "
            "'old 5', 'old 6' and 2 more",
            2,
        ),
        ("whole is not one of 1, 2, 30", 1),
    ]
    (alone,) = find_rejected(
        rows.filter("row_id = 3"), contract, (), {"not_allowed": 1}, files=(), with_places=False
    )
    assert (alone.column, alone.rows) == ("text", 1)


def test_a_row_with_a_wrong_type_is_not_judged_by_its_other_values(spark: SparkSession) -> None:
    contract = contract_of({name: name for name in LIMITS}, LIMITS)
    first, second, wrong_type, not_allowed = contract.rules
    contract = replace(contract, rules=(first, second, not_allowed, wrong_type))
    line = '{"id":"a","text":"gone","whole":"x"}'
    (row,) = classify_rows(of_json(spark, [line], contract), contract).collect()
    assert row["reason"] == "wrong_type"


def test_a_value_of_csv_is_named_as_it_was_delivered(each_spark: SparkSession, tmp_path: Path) -> None:
    limits = {name: {**of, "number": NumberForm(",")} for name, of in LIMITS.items()}
    contract = contract_of({name: name for name in LIMITS}, limits, "csv")
    lines = [
        "a;" + values.replace("null", "").replace('"', "").replace(",", ";").replace(".", ",")
        for values, _, _ in ROWS
    ]
    rows = classified(of_csv(each_spark, lines, contract, tmp_path), contract)
    assert named(rows, contract) == [
        (reason, {name: value and value.replace(".", ",") for name, value in values.items()})
        for _, reason, values in ROWS
        if reason
    ]
