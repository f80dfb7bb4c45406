"""Values of every JSON type in columns of every type, compared with what Python's json reads."""

import json
from itertools import product
from typing import Any

from etl import session
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.parse_lines import parse_lines
from plans import contract_of_columns
from pyspark.sql import SparkSession

SCALARS = ("string", "integer", "number", "boolean")
OBJECTS = {"type": "array", "items": {"properties": {"ok": {"type": "boolean"}, "n": {"type": "integer"}}}}
COLUMNS: dict[str, Any] = {
    **{name: {"type": [name, "null"]} for name in SCALARS},
    "object": {"type": ["object", "null"]},
    **{f"{name}s": {"type": "array", "items": {"type": name}} for name in SCALARS},
    "objects": OBJECTS,
    "word": {"type": "string", "x-null": ["", "n/a", "-1"]},
}
# As JSON writes them; each is put into each column.
VALUES = [
    *("null", '"a"', '""', '"true"', '"{}"', '"[1]"', '"{\\"a\\":1}"', '"\\u007b}"', '" {}"', '"n/a"', '"1"'),
    *("true", "false", "0", "-1", "9223372036854775807", "9223372036854775808", "1.0", "1.5", "1e400", "1e2"),
    *("{}", '{"a":1}', '{ "a" : {"b":[1,"x",null]} , "c":"}{" }', '{"ok":true}', '{"ok":true,"ok":false}'),
    *(
        "[]",
        "[null]",
        '["a"]',
        '["a",null]',
        '["a","{}"]',
        "[1]",
        "[1,null,2]",
        "[1.5]",
        "[1,1.5]",
        "[1e400]",
    ),
    *("[true]", "[true,false,null]", '["a",true]', '["a",1]', "[1,true]", '[1,"1"]', '[true,"true"]', "[[]]"),
    *('[["a"]]', "[{}]", '[{"ok":true}]', '[{"ok":"true"}]', '[{"ok":1}]', '[{"n":1,"ok":null}]', '["a",{}]'),
    *('[{"ok":true},{"ok":false,"n":2}]', '[{"ok":true},1]', '[{"n":1.0}]', '["a",["b"]]', "[[1],2]"),
]
WRONG = object()


def expected(column: str, text: str) -> Any:
    """The published value, or WRONG."""
    value = json.loads(text, parse_float=lambda digits: float(digits))
    if value is None:
        return None
    if column == "word":
        read = as_scalar("string", value)
        return None if read in ("", "n/a", "-1") else read
    if column in SCALARS:
        return as_scalar(column, value)
    if column == "object":
        return value if isinstance(value, dict) else WRONG
    if not isinstance(value, list):
        return WRONG
    if column == "objects":
        entries = [as_object(entry) for entry in value]
    else:
        entries = [None if entry is None else as_scalar(column[:-1], entry) for entry in value]
    return WRONG if WRONG in entries else entries


def as_scalar(kind: str, value: Any) -> Any:
    if kind == "string":
        if isinstance(value, (bool, dict, list)):
            return WRONG
        # Java writes such numbers as Python does. One beyond a double has no text.
        return value if isinstance(value, str) else WRONG if value == float("inf") else str(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else WRONG
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return WRONG
    if kind == "integer":
        fits = isinstance(value, int) and -(2**63) <= value < 2**63
        return value if fits else WRONG
    return WRONG if value in (float("inf"), float("-inf")) else float(value)


def as_object(entry: Any) -> Any:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        return WRONG
    found = (
        None if entry.get("ok") is None else as_scalar("boolean", entry["ok"]),
        None if entry.get("n") is None else as_scalar("integer", entry["n"]),
    )
    return WRONG if WRONG in found else found


def plain(column: str, value: Any) -> Any:
    if column == "object" and value is not None:
        return json.loads(value)
    if column == "objects" and value is not None:
        return [None if entry is None else tuple(entry) for entry in value]
    return value


def test_every_value_in_every_column(each_spark: SparkSession) -> None:
    asked = list(product(COLUMNS, VALUES))
    lines = [(at, f'{{"id":{at},"{column}": {text}}}') for at, (column, text) in enumerate(asked)]
    session.configure(each_spark, 1)
    frame = each_spark.createDataFrame(lines, "at int, value string").coalesce(1)
    judged = classify_rows(parse_lines(frame, contract_of_columns(COLUMNS)), contract_of_columns(COLUMNS))
    rows = {row["at"]: row for row in judged.collect()}
    rejected = judged.withColumn("row_id", judged["at"])
    reasons = {
        row["at"]: row["reason_values"]
        for row in explain_rejected(rejected, contract_of_columns(COLUMNS)).collect()
    }

    differing = []
    for at, (column, text) in enumerate(asked):
        wanted, row = expected(column, text), rows[at]
        found = WRONG if row["reason"] == "wrong_type" else plain(column, row[column])
        if found != wanted or type(found) is not type(wanted):
            differing.append((column, text, wanted, found))
        if wanted is WRONG:
            named = reasons.get(at, {}).keys()
            right = {column} if column != "objects" else {column, "objects[].ok", "objects[].n"}
            if not named or not named <= right:
                differing.append((column, text, "named", reasons.get(at)))
    assert not differing, "\n".join(map(repr, differing))
    assert sum(row["reason"] is None for row in rows.values()) > 90
    assert sum(row["reason"] == "wrong_type" for row in rows.values()) > 200


def test_the_numbers_of_an_object_are_kept_as_delivered(each_spark: SparkSession) -> None:
    objects = {
        '{ "a" : 1.10, "b":[1e400, -0.0, 12345678901234567890.123456789] }': (
            '{"a":1.10,"b":[1e400,-0.0,12345678901234567890.123456789]}'
        ),
        '{"1.10":"1.10 \\" 2.20","c":"\\\\","d":1.50}': '{"1.10":"1.10 \\" 2.20","c":"\\\\","d":1.50}',
        '{"a":{"b":{"c":100000000000000000000}}}': '{"a":{"b":{"c":100000000000000000000}}}',
        "{}": "{}",
    }
    lines = [(at, f'{{"id":{at}, "object":{text}}}') for at, text in enumerate(objects)]
    session.configure(each_spark, 1)
    frame = each_spark.createDataFrame(lines, "at int, value string").coalesce(1)
    rows = (
        classify_rows(parse_lines(frame, contract_of_columns(COLUMNS)), contract_of_columns(COLUMNS))
        .orderBy("at")
        .collect()
    )
    assert [row["object"] for row in rows] == list(objects.values())
