"""Objects with values of every JSON kind at every level are flattened as an independent model says: it reads
them by Python's json and decimal."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from etl import session
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.flatten_lines import flatten_lines
from plans import contract_of_columns
from pyspark.sql import Row, SparkSession

ANY = ["number", "boolean", "object", "array"]
# Columns with their paths and what they take.
COLUMNS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "x-path": "a.b.s"},
    "any_text": {"type": "string", "x-path": "a.b.s", "x-accepts": ANY, "x-blank": "null", "x-null": ["n/a"]},
    "whole": {"type": "integer", "x-path": "a.b.n"},
    "any_whole": {"type": "integer", "x-path": "a.b.n", "x-accepts": ["string"]},
    "share": {"type": "number", "x-path": "a['b.c'].n", "x-accepts": ["string"]},
    "flag": {"type": "boolean", "x-path": "a.b.flag"},
    "rest": {"type": "object", "x-path": "o"},
    "money": {"type": "number", "x-path": "o.x", "x-decimal": [6, 2]},
    "long_money": {"type": "number", "x-path": "o.x", "x-accepts": ["string"], "x-decimal": [30, 10]},
    "deep": {"type": "string", "x-path": "o.m.k.v"},
    "list": {"type": "object", "x-path": "o.l", "x-accepts": ["array"]},
    "size": {"type": "integer", "x-path": "a.l", "x-count": True},
    "first": {"type": "string", "x-path": "a.l[0]", "x-accepts": ANY},
    "part": {"type": "string", "x-path": "a.l[0].p"},
    "second": {"type": "integer", "x-path": "a.l[1].q", "x-accepts": ["string"]},
    "inner": {"type": "boolean", "x-path": "o.l[0][1]"},
    "top": {"type": "string"},
}
PATHS: dict[str, Sequence[str | int]] = {
    "text": ("a", "b", "s"),
    "any_text": ("a", "b", "s"),
    "whole": ("a", "b", "n"),
    "any_whole": ("a", "b", "n"),
    "share": ("a", "b.c", "n"),
    "flag": ("a", "b", "flag"),
    "rest": ("o",),
    "money": ("o", "x"),
    "long_money": ("o", "x"),
    "deep": ("o", "m", "k", "v"),
    "list": ("o", "l"),
    "size": ("a", "l"),
    "first": ("a", "l", 0),
    "part": ("a", "l", 0, "p"),
    "second": ("a", "l", 1, "q"),
    "inner": ("o", "l", 0, 1),
    "top": ("top",),
}
NUMBERS = ["0", "-0", "1", "-7", "12.5", "12.50", "0.005", "1e2", "1E-2", "-0.0", "9999.99", "10000", "1e400"]
NUMBERS += [
    "9223372036854775807",
    "9223372036854775808",
    "12345678901234567890.1234567891",
    "3.0",
    "1e-999999999",
]
TEXTS = [
    "",
    " ",
    "\u00a0\t",
    "a",
    "true",
    "null",
    "n/a",
    "1",
    "-1.50",
    "01",
    "1e2",
    "+1",
    ".5",
    "{}",
    '{"a":1}',
]
TEXTS += ["[1]", "{", "[", 'say "x"\\', "\\{", "x-etl-1-", "é", "{a: 1", "\u2028", "1\n"]
WRONG = object()


class Number(str):
    """A number as it was written."""


def any_value(draw: random.Random, depth: int = 0) -> Any:
    kinds = ["null", "boolean", "number", "text"] + ["object", "list"] * (depth < 3)
    kind = draw.choice(kinds)
    if kind == "null":
        return None
    if kind == "boolean":
        return draw.random() < 0.5
    if kind == "number":
        return Number(draw.choice(NUMBERS))
    if kind == "text":
        return draw.choice(TEXTS)
    size = draw.randrange(3)
    if kind == "list":
        return [any_value(draw, depth + 1) for _ in range(size)]
    names = draw.sample(["p", "q", "s", "n", "x", "{k", "a b", "l", "1.10"], size)
    return {name: any_value(draw, depth + 1) for name in names}


def an_object(draw: random.Random, members: Mapping[str, Any]) -> Any:
    """Mostly an object with the members, of which some are not there."""
    if draw.random() < 0.08:
        return any_value(draw)
    there = [(name, make()) for name, make in members.items() if draw.random() < 0.85]
    draw.shuffle(there)
    more = {"more": any_value(draw)} if draw.random() < 0.3 else {}
    return {**more, **dict(there)}


def a_list(draw: random.Random, make: Any) -> Any:
    return any_value(draw) if draw.random() < 0.08 else [make() for _ in range(draw.randrange(4))]


def a_number(draw: random.Random) -> Any:
    return any_value(draw) if draw.random() < 0.2 else Number(draw.choice(NUMBERS))


def a_text(draw: random.Random) -> Any:
    return any_value(draw) if draw.random() < 0.2 else draw.choice(TEXTS)


def a_document(draw: random.Random) -> Any:
    def entry() -> Any:
        return an_object(draw, {"p": lambda: a_text(draw), "q": lambda: a_number(draw)})

    def b() -> Any:
        return an_object(
            draw,
            {"s": lambda: a_text(draw), "n": lambda: a_number(draw), "flag": lambda: draw.random() < 0.5},
        )

    def v() -> Any:
        return an_object(draw, {"k": lambda: an_object(draw, {"v": lambda: a_text(draw)})})

    def a() -> Any:
        number = {"n": lambda: a_number(draw)}
        return an_object(
            draw, {"b": b, "b.c": lambda: an_object(draw, number), "l": lambda: a_list(draw, entry)}
        )

    def o() -> Any:
        def lists() -> Any:
            return a_list(draw, lambda: a_list(draw, lambda: draw.random() < 0.5))

        return an_object(draw, {"x": lambda: a_number(draw), "m": v, "l": lists})

    members: dict[str, Callable[[], Any]] = {"a": a, "o": o, "top": lambda: a_text(draw)}
    return {name: make() for name, make in members.items() if draw.random() < 0.95}


def written(draw: random.Random, value: Any) -> str:
    """The JSON of a value, with space anywhere and some letters escaped."""

    def space() -> str:
        return draw.choice(["", "", "", " ", "\t"])

    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=draw.random() < 0.5)
        return text.replace("{", "\\u007b").replace("[", "\\u005B") if draw.random() < 0.2 else text
    if isinstance(value, dict):
        parts = (
            f"{space()}{json.dumps(name)}{space()}:{space()}{written(draw, of)}{space()}"
            for name, of in value.items()
        )
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{space()}{written(draw, of)}{space()}" for of in value) + "]"
    return json.dumps(value)


def delivered(document: Any, path: Sequence[str | int]) -> Any:
    """The value that lies at a path; WRONG where there is no way on."""
    for step in path:
        if document is None:
            return None
        if not isinstance(document, list if isinstance(step, int) else dict):
            return WRONG
        if isinstance(step, int):
            document = document[step] if step < len(document) else None
        else:
            document = document.get(step)
    return document


def kind_of(value: Any) -> str:
    kinds = {Number: "number", str: "string", bool: "boolean", dict: "object", list: "array"}
    return kinds[type(value)]


def expected(name: str, document: Any) -> Any:
    value, column = delivered(document, PATHS[name]), COLUMNS[name]
    if value is None or value is WRONG:
        return value
    if column.get("x-count"):
        return len(value) if isinstance(value, list) else WRONG
    kind, own = kind_of(value), {"string": "string", "integer": "number"}.get(column["type"], column["type"])
    accepts = [own, *column.get("x-accepts", ()), *(["number"] if own == "string" else [])]
    if kind not in accepts:
        return WRONG
    if own == "number":
        return expected_number(column, value)
    if own == "string" and kind == "string":
        is_null = (column.get("x-blank") and not value.strip()) or value in column.get("x-null", ())
        return None if is_null else str(value)
    if own == "string" and kind == "number":
        return str(value)
    return value if own in ("boolean", "object") else ("json", value)


def expected_number(column: Mapping[str, Any], value: str) -> Any:
    text = str(value)
    if not isinstance(value, Number):
        if not text.strip():
            return None
        try:
            if text.strip(" \t\n\r") != text or isinstance(
                json.loads(text), (dict, list, bool, type(None), str)
            ):
                return WRONG
        except ValueError:
            return WRONG
    if column["type"] == "integer":
        is_whole = text.removeprefix("-").isdigit() and -(2**63) <= int(text) < 2**63
        return int(text) if is_whole else WRONG
    if "x-decimal" not in column:
        return WRONG if float(text) in (float("inf"), float("-inf")) else float(text)
    precision, scale = column["x-decimal"]
    exact = Decimal(text)
    if exact.is_zero():
        return exact
    digits = len(exact.normalize().as_tuple().digits)
    least = exact.adjusted() - digits + 1
    return exact if exact.adjusted() < precision - scale and least >= -scale else WRONG


def same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, tuple):
        wanted = wanted[1]
    if isinstance(wanted, (dict, list)) or (isinstance(wanted, bool) and isinstance(found, str)):
        return found is not None and exact_json(found) == as_pairs(wanted)
    return type(wanted) is type(found) and wanted == found


def exact_json(text: str) -> Any:
    return json.loads(
        text, parse_int=Number, parse_float=Number, object_pairs_hook=lambda pairs: ("object", pairs)
    )


def as_pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return ("object", [(name, as_pairs(of)) for name, of in value.items()])
    return [as_pairs(of) for of in value] if isinstance(value, list) else value


def judged(spark: SparkSession, lines: Sequence[str]) -> tuple[list[Row], dict[int, Mapping[str, str]]]:
    """The rows, and the values of the rejected ones, as the job keeps them in memory."""
    session.configure(spark, 1)
    frame = spark.createDataFrame(list(enumerate(lines)), "row_id int, value string").coalesce(1)
    rows = classify_rows(
        flatten_lines(frame, contract_of_columns(COLUMNS)), contract_of_columns(COLUMNS)
    ).persist()
    found = sorted(rows.collect(), key=lambda row: row["row_id"])
    values = {
        row["row_id"]: row["reason_values"]
        for row in explain_rejected(rows, contract_of_columns(COLUMNS)).collect()
    }
    rows.unpersist()
    return found, values


def label(name: str) -> str:
    path = COLUMNS[name].get("x-path")
    return f"{name} ({path})" if path else name


def test_objects_are_flattened_as_python_reads_them(each_spark: SparkSession) -> None:
    draw = random.Random(17)  # noqa: S311 (nothing is secret)
    documents = [a_document(draw) for _ in range(1500)]
    lines = [
        f'{{"id":{at},' + written(draw, one)[1:] if one else f'{{"id":{at}}}'
        for at, one in enumerate(documents)
    ]
    rows, values = judged(each_spark, lines)
    assert len(rows) == len(lines)
    differing: list[tuple[Any, ...]] = []
    for at, (row, document) in enumerate(zip(rows, documents, strict=True)):
        wanted = {name: expected(name, document) for name in COLUMNS}
        wrong = {label(name) for name, value in wanted.items() if value is WRONG}
        if wrong and (row["reason"] != "wrong_type" or values[at].keys() != wrong):
            differing.append((lines[at], wrong, row["reason"], values.get(at)))
        elif not wrong and row["reason"] is not None:
            differing.append((lines[at], "good", row["reason"], values.get(at)))
        elif not wrong:
            others = {name: (of, row[name]) for name, of in wanted.items() if not same(of, row[name])}
            if others:
                differing.append((lines[at], "values", others, None))
    assert not differing, f"{len(differing)}\n" + "\n".join(map(repr, differing[:10]))
    good = [row for row in rows if row["reason"] is None]
    assert len(good) > 150
    assert all(any(row[name] is not None for row in good) for name in COLUMNS)
    named = {name for one in values.values() for name in one}
    assert named == {label(name) for name in COLUMNS}


MALFORMED = [
    *('{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":1e}', '{"a":-}', '{"a":--1}', '{"a":1.2.3}'),
    *('{"a":truex}', '{"a":True}', '{"a":NaN}', '{"a":Infinity}', '{"a":1 2}', '{"a":true false}'),
    *(
        "{1:2}",
        "{1 :2}",
        "{true :1}",
        "{1}",
        '{"a":{1}}',
        '{"a":1}x',
        '{"a":1}{"b":2}',
        '{"a" 1}',
        '{"a":1,}',
    ),
    *(
        "[1]",
        "1",
        '"a"',
        "null",
        '{"a":"\\ud83d"}',
        '{"a":"\t"}',
        '{"a":"\x01"}',
        '{"a":1"b":2}',
        '{"a":"b"1}',
    ),
    *('{"a":"{', '{"a":"{"', '{"a":"\\x"}', "{'a':1}", '{"a":1]', '{"top":"{"x"}'),
]


def test_what_is_not_a_json_object_is_malformed(each_spark: SparkSession) -> None:
    rows, _ = judged(each_spark, MALFORMED)
    assert len(rows) == len(MALFORMED)
    assert [line for line, row in zip(MALFORMED, rows, strict=True) if row["reason"] != "malformed"] == []


def test_a_long_line_is_read_without_recursion(spark: SparkSession) -> None:
    texts = ",".join(f'"{"x" * 10}\\"{{"' for _ in range(100_000))
    line = f'{{"id":1,"o":{{"more":[{texts}],"numbers":[{",".join(["1.50"] * 100_000)}]}}}}'
    [row], _ = judged(spark, [line])
    assert row["reason"] is None
    assert row["rest"] == line.removeprefix('{"id":1,"o":').removesuffix("}")
