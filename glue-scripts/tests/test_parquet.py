"""Parquet: exact values in the types of the contract, files named whose footer, types or data are not
right."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake
from etl import session
from etl.errors import InvalidDelivery, SourceDrifted
from etl.ingest.parquet_files import wrong_types
from kinds import contract_of, quality_of
from plans import contract_of_columns
from pyspark.sql import DataFrame, SparkSession
from support import D1, D2, figures

INSTANT = {"formats": ["yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"]}
LOCAL = {"formats": ["yyyy-MM-dd'T'HH:mm:ss.SSSSSS"], "timeZone": "Europe/Berlin"}
COLUMNS: dict[str, Any] = {
    "id": {"type": "integer"},
    "name": {"type": ["string", "null"]},
    "price": {"type": ["number", "null"], "x-decimal": [38, 18]},
    "ratio": {"type": ["number", "null"]},
    "is_new": {"type": ["boolean", "null"]},
    "born": {"type": ["string", "null"], "x-date": ["yyyy-MM-dd"]},
    "at": {"type": ["string", "null"], "x-timestamp": INSTANT},
    "local": {"type": ["string", "null"], "x-timestamp": LOCAL},
    "city": {"type": ["string", "null"], "x-path": "origin.city"},
    "origin": {"type": ["object", "null"]},
}
TYPES = (
    "id int, name string, price decimal(38,18), ratio float, is_new boolean, born date, at timestamp, "
    "local timestamp_ntz, origin struct<city:string,tags:array<string>>, other binary"
)
NOON = datetime(2010, 12, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROWS: list[tuple[Any, ...]] = [
    (
        1, 'a "quoted" ä🦊\n', Decimal("12345678901234567890.123456789012345678"), 0.1, True,
        date(2010, 12, 1), NOON, datetime(2010, 12, 1, 12, 0, 0, 1), ("Köln", ["x"]), b"\x00\xff",
    ),
    (2, None, Decimal("0E-18"), None, None, None, None, None, None, None),
    (3, "", Decimal("-0.000000000000000001"), -1.5, False, date(1, 1, 1), datetime(1582, 1, 1, tzinfo=UTC),
     None, (None, None), None),
    (None, "no key", None, None, None, None, None, None, None, None),
    (5, "not a number", None, float("nan"), None, None, None, None, None, None),
]  # fmt: skip


def write(lake: Lake, rows: DataFrame, name: str, day: str = D1) -> Path:
    """One file of Parquet."""
    folder = lake.root / "written"
    rows.coalesce(1).write.mode("overwrite").parquet(str(folder))
    [written] = folder.glob("*.parquet")
    path = lake.root / "raw" / "events" / f"dt={day}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return written.replace(path)


@pytest.fixture(autouse=True)
def settings(spark: SparkSession) -> None:
    """Those of the job, also to write."""
    session.configure(spark, 1)


def test_values_are_those_of_the_file(lake: Lake, spark: SparkSession) -> None:
    given = {"contract": contract_of(lake, "parquet", columns=COLUMNS), "quality": quality_of(lake)}
    write(lake, spark.createDataFrame(ROWS, TYPES), "a.parquet")
    # Dictionaries are the writer's default; INT96 is what old writers have for an instant.
    many = spark.range(100, 3100).selectExpr(
        "cast(id as smallint) id", "cast(id % 3 as string) name", "timestamp'2010-12-01 12:00:00.123456Z' at"
    )
    spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96")
    write(lake, many, "b.parquet")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    write(lake, many.limit(0), "empty.parquet", D2)
    books = lake.run(D1, D2, **given)
    assert figures(books) == (3005, 3003, 0, 2)
    rows = {row["id"]: row for row in lake.rows(spark, "processed")}
    expected = {
        "name": 'a "quoted" ä🦊\n',
        "price": Decimal("12345678901234567890.123456789012345678"),
        "ratio": 0.1,
        "is_new": True,
        "born": date(2010, 12, 1),
        "city": "Köln",
        "origin": '{"city":"Köln","tags":["x"]}',
    }
    assert {name: rows[1][name] for name in expected} == expected
    assert (rows[2]["price"], rows[3]["price"]) == (Decimal("0E-18"), Decimal("-1E-18"))
    assert (rows[2]["name"], rows[3]["name"], rows[3]["born"]) == (None, "", date(1, 1, 1))
    of_one = spark.read.parquet(str(lake.root / "processed" / "events")).where("id in (1, 3, 100)")
    shown = of_one.selectExpr("id", "cast(at as string) at", "cast(local as string) local").collect()
    assert {row["id"]: (row["at"], row["local"]) for row in shown} == {
        1: ("2010-12-01 12:00:00.123456", "2010-12-01 11:00:00.000001"),
        3: ("1582-01-01 00:00:00", None),
        100: ("2010-12-01 12:00:00.123456", None),
    }
    rejected = {row["reason"]: row for row in lake.rows(spark, "quarantine")}
    assert json.loads(rejected["missing_id"]["raw_line"]) == {"name": "no key"}
    assert rejected["wrong_type"]["reason_values"] == {"ratio": "NaN"}


def test_files_that_are_not_whole_or_of_another_type_end_the_run_by_name(
    lake: Lake, spark: SparkSession
) -> None:
    given = {"contract": contract_of(lake, "parquet", columns=COLUMNS), "quality": quality_of(lake)}
    good = write(lake, spark.range(5000).selectExpr("id", "uuid() name"), "good.parquet")
    whole = good.read_bytes()
    at = int.from_bytes(whole[-8:-4], "little")
    files = {
        "1-text.parquet": (b"id,name\n1,a\n", "it is no Parquet (it begins with b'id,n')"),
        "2-cut.parquet": (whole[:-9], "its Parquet is not whole ("),
        "3-footer.parquet": (whole[: -8 - at] + bytes(at) + whole[-8:], "its Parquet is not whole ("),
        "4-short.parquet": (b"PAR1", "its Parquet is not whole ("),
        "5-encrypted.parquet": (b"PARE" + whole[4:], "it is encrypted Parquet"),
    }
    for name, (content, _) in files.items():
        good.with_name(name).write_bytes(content)
    other = spark.createDataFrame([("1", 2.5)], "id string, price double")
    typed = write(lake, other, "6-types.parquet")
    with pytest.raises(InvalidDelivery) as refused:
        lake.run(D1, **given)
    told = str(refused.value)
    for name, (_, why) in files.items():
        assert f"{good.with_name(name)}: {why}" in told
        good.with_name(name).unlink()
    assert f"{typed}: its column id is string, and the contract wants an integer for id (bigint)" in told
    assert str(good) not in told
    typed.unlink()
    hole = good.with_name("7-hole.parquet")
    hole.write_bytes(whole[:2000] + bytes(3000) + whole[5000:])
    with pytest.raises(InvalidDelivery, match=f"^{hole}: its rows cannot be read "):
        lake.run(D1, **given)
    assert not lake.files("processed")


@pytest.mark.parametrize(
    ("column", "found", "says"),
    [
        ({"type": "string"}, "string", ""),
        (
            {"type": "string"},
            "bigint",
            "its column x is bigint, and the contract wants string for x (string)",
        ),
        ({"type": "string", "x-accepts": ["number"]}, "bigint", ""),
        ({"type": "string"}, "binary", "its column x is binary, and the contract wants string"),
        ({"type": "integer"}, "smallint", ""),
        ({"type": "integer"}, "decimal(10,0)", ""),
        ({"type": "integer"}, "decimal(10,2)", "its column x is decimal(10,2), and the contract wants an i"),
        ({"type": "integer"}, "double", "its column x is double, and the contract wants an integer"),
        ({"type": "number"}, "decimal(10,2)", ""),
        ({"type": "number", "x-decimal": [10, 2]}, "decimal(20,5)", ""),
        ({"type": "number", "x-decimal": [10, 2]}, "bigint", ""),
        (
            {"type": "number", "x-decimal": [10, 2]},
            "float",
            "its column x is float, and the contract wants d",
        ),
        ({"type": "boolean"}, "string", "its column x is string, and the contract wants boolean"),
        ({"type": "string", "x-date": ["yyyy-MM-dd"]}, "date", ""),
        ({"type": "string", "x-date": ["yyyy-MM-dd"]}, "timestamp", "its column x is timestamp, and the con"),
        ({"type": "string", "x-timestamp": INSTANT}, "timestamp_ntz", ""),
        ({"type": "object"}, "map<string,int>", ""),
        ({"type": "object"}, "string", "its column x is string, and the contract wants struct or map"),
        ({"type": "array", "items": {"type": "string"}}, "array<string>", ""),
        ({"type": "string", "x-path": "x.y[0]"}, "struct<y:array<string>>", ""),
        ({"type": "string", "x-path": "x.y[0]"}, "struct<z:int>", ""),
        (
            {"type": "string", "x-path": "x.y[0]"},
            "struct<y:string>",
            "its column x.y is string, and x (x.y[0])",
        ),
        ({"type": "string", "x-path": "z"}, "int", ""),
    ],
)
def test_types_of_footers(spark: SparkSession, column: dict[str, Any], found: str, says: str) -> None:
    schema = spark.createDataFrame([], f"id bigint, x {found}").schema
    told = wrong_types(schema, contract_of_columns({"x": column}))
    assert [one[: len(says)] for one in told] == ([says] if says else [])


def test_unknown_and_missing_columns_are_told_or_end_the_run(lake: Lake, spark: SparkSession) -> None:
    columns = {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}
    contract = contract_of(lake, "parquet", columns=columns)
    given = {"contract": contract, "quality": quality_of(lake)}
    write(lake, spark.sql("select 1 id, 'a' name"), "a.parquet")
    assert lake.run(D1, **given)["drift"] == ""
    write(lake, spark.sql("select 2 id, array(1) extra"), "b.parquet")
    books = lake.run(D1, **given)
    assert (books["drift"], figures(books)) == ("new: extra array<int>; missing: name", (2, 2, 0, 0))

    path = Path(contract)
    document = json.loads(path.read_text())
    document["x-etl"]["onDrift"] = "fail"
    path.write_text(json.dumps(document))
    with pytest.raises(SourceDrifted, match=r"Parquet of .* \(new: extra array<int>; missing: name\)"):
        lake.run(D1, **given)
