"""Objects one after the other, and arrays of objects: random JSON in random layouts, compared with what
Python's json wrote; and damage, which must stay where it is."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Lake
from etl import session
from etl.errors import InvalidDelivery
from etl.ingest.transforms.split_array import split_array
from etl.ingest.transforms.split_objects import split_objects
from kinds import limit, quality_of
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

D1 = "2010-12-01"
# Whatever could be taken for structure stands in texts and names, too.
PIECES = [
    *("a", "{", "}", "[", "]", ",", ":", '"', "\\", "}{", "},{", "{}", '{"id":1}', '"}{"', "é", "\U0001f98a"),
    *("\u2028", "\x85", "\n", "\t", " ", "true", "1", "\\n", "],[", "} , 5", '":"', '","'),
]
NAMES = ["id", "name", "t t", "é", "k{}", 'k"q', "", ",", ":", "1", "true", "},{"]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
Split = Callable[[DataFrame], DataFrame]


def any_value(source: Random, depth: int) -> Any:
    kind = source.randint(0, 9)
    if depth > 0 and kind == 0:
        return [any_value(source, depth - 1) for _ in range(source.randint(0, 3))]
    if depth > 0 and kind <= 2:
        return any_object(source, depth - 1)
    if kind <= 6:
        return "".join(source.choices(PIECES, k=source.randint(0, 6)))
    return source.choice([None, True, False, 0, -1, 12, 1.5, -2e30, 123456789012345678])


def any_object(source: Random, depth: int = 3) -> dict[str, Any]:
    return {source.choice(NAMES): any_value(source, depth) for _ in range(source.randint(0, 4))}


def written(source: Random, value: object) -> str:
    """The value as JSON in one of many layouts."""
    layout, is_ascii = source.choice(["compact", "line", "pretty", "flat", "spaced"]), source.random() < 0.5
    if layout == "compact":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=is_ascii)
    if layout == "pretty":
        return json.dumps(value, indent=source.choice([1, 2, 4]), ensure_ascii=is_ascii)
    if layout == "flat":
        return json.dumps(value, indent=0, ensure_ascii=is_ascii)
    text = json.dumps(value, ensure_ascii=is_ascii)
    if layout == "line":
        return text
    gaps = ["", "", " ", "\n", "\r\n", "\t"]
    return "".join(source.choice(gaps) + token for token in TOKEN.findall(text))


def one_after_the_other(source: Random, objects: Sequence[object]) -> str:
    gaps = ["", "\n", "\r\n", " ", "\n\n\t"]
    return "".join(written(source, one) + source.choice(gaps) for one in objects)


def array(source: Random, elements: Sequence[object]) -> str:
    if source.random() < 0.5:
        return written(source, list(elements))
    gaps = ["", "", " ", "\n", "\r\n"]
    inside = ",".join(source.choice(gaps) + written(source, one) + source.choice(gaps) for one in elements)
    return f"{source.choice(gaps)}[{source.choice(gaps)}{inside}]{source.choice(gaps)}"


def records(spark: SparkSession, split: Split, files: Sequence[str]) -> list[list[str]]:
    """The records of each file, in order. One frame has the lines of all files."""
    lines = [
        (bytearray(line), D1, f"{at:04}", 0, (at << 16) + number)
        for at, text in enumerate(files)
        for number, line in enumerate(text.encode().split(b"\n"))
    ]
    schema = "value binary, run_date string, file_path string, block_start bigint, row_id bigint"
    session.configure(spark, 0)
    frame = spark.createDataFrame(lines, schema).coalesce(1)
    text_lines = frame.withColumn("value", F.col("value").cast("string"))
    rows = split(text_lines).select("file_path", "row_id", F.col("value").cast("binary")).collect()
    assert len({row["row_id"] for row in rows}) == len(rows)
    found: list[list[str]] = [[] for _ in files]
    for row in sorted(rows, key=lambda row: (row["file_path"], row["row_id"])):
        found[int(row["file_path"])].append(bytes(row["value"]).decode())
    return found


def test_objects_one_after_the_other_are_read_as_they_were_written(each_spark: SparkSession) -> None:
    source = Random(15)  # noqa: S311 (no secret)
    wanted = [[any_object(source) for _ in range(source.randint(0, 8))] for _ in range(150)]
    files = [one_after_the_other(source, objects) for objects in wanted]
    found = records(each_spark, split_objects, files)
    assert [[json.loads(one) for one in of_file] for of_file in found] == wanted


def test_arrays_are_read_as_they_were_written(each_spark: SparkSession) -> None:
    source = Random(16)  # noqa: S311 (no secret)
    wanted = [
        [
            any_object(source) if source.random() < 0.8 else any_value(source, 3)
            for _ in range(source.randint(0, 8))
        ]
        for _ in range(150)
    ]
    found = records(each_spark, split_array, [array(source, elements) for elements in wanted])
    assert [[json.loads(one) for one in of_file] for of_file in found] == wanted


def test_damage_stays_where_it_is(spark: SparkSession) -> None:
    """A byte is lost in one object of each file, which lie on lines of their own: all others come back, and
    nothing is invented."""
    source = Random(17)  # noqa: S311 (no secret)
    files, wanted = [], []
    for _ in range(150):
        objects = [json.dumps({"id": at, **any_object(source)}) for at in range(5)]
        broken = source.randrange(1, len(objects[2]) - 1)
        objects[2] = objects[2][:broken] + objects[2][broken + 1 :]
        files.append("\n".join(objects))
        wanted.append([*objects[:2], *objects[3:]])
    found = records(spark, split_objects, files)
    for of_file, text, others in zip(found, files, wanted, strict=True):
        assert [one for one in others if one not in of_file] == [], text
        # Space around a record is left out.
        assert "".join("".join(of_file).split()) == "".join(text.split()), "nothing is lost or invented"


def contract_of(lake: Lake, kind: str) -> dict[str, str]:
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}},
        "required": ["id"],
        "x-etl": {
            "format": {"kind": kind},
            "businessKey": ["id"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "missing_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "output": ["id", "name"],
        },
    }
    path = Path(lake.root) / "records.schema.json"
    path.write_text(json.dumps(document))
    return {"contract": str(path), "quality": quality_of(lake, limit(0.9))}


def test_files_of_firehose_run_through_the_job(lake: Lake, spark: SparkSession) -> None:
    lake.deliver_bytes(D1, b'{"id":1,"name":"a}{b"}{"id":2}\n{"id":3}{"id":1}{"id":x}{"id":"4"}', "a")
    lake.deliver_bytes(D1, b'{\n  "id": 5,\n  "name": "e"\n}\n{\n  "id": 6\n}\n', "b.json.gz")
    books = lake.run(D1, **contract_of(lake, "jsonObjects"))
    assert (books["read"], books["written"], books["duplicates"]) == (8, 5, 1)
    assert lake.reasons(spark) == [('{"id":"4"}', "wrong_type"), ('{"id":x}', "malformed")]
    assert sorted(row["id"] for row in lake.rows(spark, "processed")) == [1, 2, 3, 5, 6]


def test_an_array_runs_through_the_job(lake: Lake, spark: SparkSession) -> None:
    lake.deliver_bytes(D1, b'[{"id":1},{"id":2,"name":"],["},\n 7, {"id":1}]', "a.json")
    lake.deliver_bytes("2010-12-02", b" [ ] \n", "empty.json")
    books = lake.run(D1, "2010-12-02", **contract_of(lake, "jsonArray"))
    assert (books["read"], books["written"], books["duplicates"]) == (4, 2, 1)
    assert lake.reasons(spark) == [("7", "malformed")]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b'[{"id":1},{"id":2}', "its array does not end, up to line 1: deliver it whole"),
        (
            b'[{"id":1}]\n[{"id":2}]',
            "something follows the end of its array on line 2: deliver one array a file",
        ),
        (b'{"id":1}', "it does not begin with '[' as an array does"),
        (b'[{"id":1}}]', "its array"),
        (b'[{"id":1},\n{"id":2,"name":"a},\n{"id":3}]', "line 2 has a text that does not end on that line"),
    ],
)
def test_an_array_that_is_not_whole_is_refused_by_name(
    lake: Lake, spark: SparkSession, content: bytes, mistake: str
) -> None:
    lake.deliver_bytes(D1, content, "cut.json")
    with pytest.raises(InvalidDelivery) as caught:
        lake.run(D1, **contract_of(lake, "jsonArray"))
    assert "cut.json: " in str(caught.value)
    assert mistake in str(caught.value)
    assert lake.files("processed") == []
