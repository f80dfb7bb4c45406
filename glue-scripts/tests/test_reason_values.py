"""The columns that a row is rejected for, and the values that were delivered for them."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from etl import session
from etl.ingest import reading
from etl.ingest.contract import Contract
from etl.ingest.headers import find_layouts
from etl.ingest.reasons import describe_rejected
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.count_rejected import count_rejected
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.parse_csv import parse_csv
from etl.ingest.transforms.parse_lines import parse_lines
from etl.io import StoredObject
from plans import contract_of_document
from pyspark.sql import DataFrame, SparkSession

TEXT = {"type": ["string", "null"]}
SCALARS: dict[str, Any] = {
    "id": {"type": "string"},
    "text": TEXT,
    "seen": TEXT,
    "whole": {"type": ["integer", "null"]},
    "real": {"type": ["number", "null"]},
    "price": {"type": ["number", "null"], "x-decimal": [5, 2]},
    "due": {"type": ["string", "null"], "x-date": ["yyyy-MM-dd", "dd/MM/yyyy"]},
}
ITEMS = {
    "type": ["array", "null"],
    "items": {
        "type": ["object", "null"],
        "properties": {"name": TEXT, "count": {"type": ["integer", "null"]}, "cost": {"type": "number"}},
    },
}


def contract_of(kind: str = "jsonLines") -> Contract:
    is_csv = kind == "csv"
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": SCALARS if is_csv else {**SCALARS, "items": ITEMS},
        "required": ["id"],
        "x-etl": {
            **({"format": {"kind": "csv"}} if is_csv else {}),
            "businessKey": ["id"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "no_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
                {"reason": "no_moment", "rule": "notATimestamp", "column": "seen"},
            ],
            "timestamp": {
                "source": "seen",
                "column": "moment_of_it",
                "dateColumn": "date_of_it",
                "formats": ["yyyy-MM-dd'T'HH:mm:ssXXX"],
            },
            "computed": {
                "total": {"expression": "whole * price", "type": "decimal(6,2)"},
            },
            "partitionBy": ["text"],
            "output": ["id", "text", "whole", "real", "price", "due", "moment_of_it", "total"],
        },
    }
    return contract_of_document(document)


LONG = "x" * 71
GOOD = {"id": "a", "text": "t", "seen": "2010-12-01T08:26:00Z", "whole": 1, "real": 1.5, "price": 2.5}
WRONG = "wrong_type"
# Changes to a good row; the reason; the columns that it names, each with its value.
JSON_ROWS: list[tuple[Any, str, dict[str, str | None]]] = [
    ("{", "malformed", {}),
    ({"id": None, "whole": "x"}, "no_id", {"id": None}),
    ({"id": " "}, "no_id", {"id": " "}),
    ({"seen": "never"}, "no_moment", {"seen": "never"}),
    ({"seen": None}, "no_moment", {"seen": None}),
    ({"whole": "six"}, WRONG, {"whole": "six"}),
    ({"whole": 1.5}, WRONG, {"whole": "1.5"}),
    ({"whole": 2**63}, WRONG, {"whole": str(2**63)}),
    ({"whole": ""}, WRONG, {"whole": ""}),
    ({"real": "2.5"}, WRONG, {"real": "2.5"}),
    ({"real": True, "whole": [1]}, WRONG, {"real": "true", "whole": "[1]"}),
    ({"price": "2.50"}, WRONG, {"price": "2.50"}),
    ({"price": 2.555}, WRONG, {"price": "2.555"}),
    ({"price": 12345.6}, WRONG, {"price": "12345.6"}),
    ({"price": "much", "seen": "never"}, WRONG, {"price": "much"}),
    ({"due": "2010-13-01"}, WRONG, {"due": "2010-13-01"}),
    ({"due": "01/12/2010", "whole": "x"}, WRONG, {"whole": "x"}),
    ({"due": "soon", "whole": "x", "real": "y", "price": 0.001}, WRONG,
     {"due": "soon", "whole": "x", "real": "y", "price": "0.001"}),
    ({"text": {"a": 1}}, WRONG, {"text": '{"a":1}'}),
    ({"text": True}, WRONG, {"text": "true"}),
    ({"text": [1], "whole": "x"}, WRONG, {"text": "[1]", "whole": "x"}),
    ({"text": "[1]", "whole": "x"}, WRONG, {"whole": "x"}),
    ({"text": LONG}, WRONG, {"text": LONG}),
    ({"whole": 9999, "price": 999.99}, WRONG, {"total": "9998900.01"}),
    ({"items": "none"}, WRONG, {"items": "none"}),
    ({"items": [{"count": 1}, 2]}, WRONG, {"items": '[{"count":1},2]'}),
    ({"items": [{"count": 1}, {"count": "x"}]}, WRONG, {"items[].count": '[{"count":1},{"count":"x"}]'}),
    ({"items": [{"cost": "x", "count": "y"}]}, WRONG,
     {"items[].cost": '[{"cost":"x","count":"y"}]', "items[].count": '[{"cost":"x","count":"y"}]'}),
    ({"items": [{"name": {}, "count": 1}]}, WRONG, {"items[].name": '[{"name":{},"count":1}]'}),
    ({"items": [{"count": 1}], "whole": "x"}, WRONG, {"whole": "x"}),
    ({"text": "y" * 500 + "'", "whole": "z" * 500}, WRONG, {"text": "y" * 200, "whole": "z" * 200}),
    # The first of two values has the wrong type, and the last counts: the column is not known.
    ('{"id":"a","seen":"2010-12-01T08:26:00Z","whole":"x","whole":3}', WRONG, {}),
]  # fmt: skip
CSV_ROWS: list[tuple[str, str, dict[str, str | None]]] = [
    ("a,t,2010-12-01T08:26:00Z", "malformed", {}),
    (",t,2010-12-01T08:26:00Z,x,,,", "no_id", {"id": None}),
    ("a,t,,1,,,", "no_moment", {"seen": None}),
    ("a,t,2010-12-01T08:26:00Z,x,,,", WRONG, {"whole": "x"}),
    ("a,t,2010-12-01T08:26:00Z,1.0,1e400,1.005,2010-02-30", WRONG,
     {"whole": "1.0", "real": "1e400", "price": "1.005", "due": "2010-02-30"}),
    ('a,t,2010-12-01T08:26:00Z,"1,5",N/A,,01/12/2010', WRONG, {"whole": "1,5", "real": "N/A"}),
    (f"a,{LONG},2010-12-01T08:26:00Z,,,,", WRONG, {"text": LONG}),
    ("a,t,2010-12-01T08:26:00Z,9999,,999.99,", WRONG, {"total": "9998900.01"}),
]  # fmt: skip


def lines_of(rows: Sequence[tuple[Any, str, dict[str, str | None]]]) -> list[str]:
    spaced = (",", ":")
    return [
        given if isinstance(given, str) else json.dumps({**GOOD, **given}, separators=spaced)
        for given, _, _ in rows
    ]


def explained(parsed: DataFrame, contract: Contract) -> DataFrame:
    """The rejected rows. Kept in between, as the job keeps them: in one query the optimiser takes seconds."""
    return explain_rejected(classify_rows(parsed, contract).persist(), contract)


def classify(spark: SparkSession, lines: Sequence[str], contract: Contract) -> DataFrame:
    session.configure(spark, 0)
    frame = spark.createDataFrame(
        [(at, line, "2010-12-01", "f", at) for at, line in enumerate(lines)],
        "at int, value string, run_date string, file_path string, row_id int",
    )
    return explained(parse_lines(frame, contract), contract)


def test_a_rejected_row_names_its_columns(each_spark: SparkSession) -> None:
    lines = [*lines_of(JSON_ROWS), json.dumps(GOOD)]
    rows = classify(each_spark, lines, contract_of()).orderBy("at").collect()
    assert [(row["reason"], row["reason_values"]) for row in rows] == [
        (reason, values) for _, reason, values in JSON_ROWS
    ]


def test_a_rejected_row_of_csv_names_its_columns(each_spark: SparkSession, tmp_path: Path) -> None:
    contract = contract_of("csv")
    file = tmp_path / "dt=2010-12-01" / "a.csv"
    file.parent.mkdir()
    header = ",".join(SCALARS)
    good = "a,t,2010-12-01T08:26:00Z,1,1.5,2.5,2010-12-01"
    file.write_text("\n".join([header, *(line for line, _, _ in CSV_ROWS), good]))
    stored = [StoredObject(str(file), file.name, file.stat().st_size)]
    session.configure(each_spark, 1)
    lines = reading.read_lines(each_spark, str(tmp_path), stored, format_=contract.format)
    parsed = parse_csv(lines, contract, find_layouts(stored, contract))
    rows = explained(parsed, contract).orderBy("row_id").collect()
    assert [(row["reason"], row["reason_values"]) for row in rows] == [
        (reason, values) for _, reason, values in CSV_ROWS
    ]


def test_reasons_are_described_by_column_and_expected_type(spark: SparkSession) -> None:
    contract = contract_of()
    counted = count_rejected(classify(spark, lines_of(JSON_ROWS), contract), ["wrong_type"], with_first=False)
    by_reason = Counter(reason for _, reason, _ in JSON_ROWS)
    by_column = {of: one.rows for of, one in counted.items()}
    found = describe_rejected(contract, (), by_reason, by_column)
    assert [(one.clause, one.rows) for one in found] == [
        ("the line is not a JSON object", 1),
        ("id is missing", 2),
        ("whole is not an integer", 11),
        ("price is not a decimal(5,2)", 5),
        ("text is not a text of at most 70 bytes without NUL, other than __HIVE_DEFAULT_PARTITION__", 5),
        ("real is not a number", 3),
        ("due is not a date in yyyy-MM-dd or dd/MM/yyyy", 2),
        ("items is not an array of objects", 2),
        ("items[].count is not an integer", 2),
        ("some value is not of the declared type", 1),
        ("items[].cost is not a number", 1),
        ("items[].name is not a string", 1),
        ("total is not a value that fits decimal(6,2)", 1),
        ("seen is not a timestamp in a format of the contract", 2),
    ]
    assert found[0].entry(with_value=False) == {
        "reason": "malformed",
        "column": "",
        "expected": "a JSON object",
        "rows": 1,
    }


@pytest.mark.parametrize("most", [1, 40])
def test_the_first_row_is_the_first_that_was_delivered(spark: SparkSession, most: int) -> None:
    lines = [json.dumps({**GOOD, "whole": f"x{at}"}) for at in range(most)]
    counted = count_rejected(classify(spark, lines, contract_of()), ["wrong_type"], with_first=True)
    assert [(of, one.rows, one.first and one.first.value) for of, one in counted.items()] == [
        (("wrong_type", "whole"), most, "x0")
    ]
