"""The job on a table of every version: what one delivery and several make of it, and what the books say."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from etl.errors import InvalidDelivery
from etl.ingest.transforms.derive_versions import row_hash
from plans import contract_of_document
from pyspark.sql import SparkSession
from stages import D1, D2, D3, INCREMENT, WHOLE, Stage, contract_of, row
from support import balances, figures

SHOWN = ("sku", "name", "change", "valid_from", "run_date")


def test_two_snapshots(tmp_path: Path, spark: SparkSession) -> None:
    stage = Stage(tmp_path)
    stage.deliver_rows(D1, row(1, "a"), row(2, "b"), row(3, "c"))
    # The last of several rows of a key is its state.
    stage.deliver_rows(D2, row(1, "a"), row(2, "x"), row(2, "B"), row(4, "d"))
    one = stage.run(D1, run_id="one")
    two = stage.run(D2, run_id="two")
    day1, day2 = date.fromisoformat(D1), date.fromisoformat(D2)
    assert stage.history(spark, *SHOWN) == [
        (1, "a", "insert", day1, D1),
        (2, "b", "insert", day1, D1),
        (2, "B", "update", day2, D2),
        (3, "c", "insert", day1, D1),
        (3, "c", "delete", day2, D2),
        (4, "d", "insert", day2, D2),
    ]
    assert figures(one) == (3, 3, 0, 0) and balances(one)
    assert figures(two) == (4, 2, 2, 0) and balances(two)
    assert two["changes"] == {
        "inserted": 1,
        "updated": 1,
        "deleted": 0,
        "unchanged": 1,
        "superseded": 1,
        "deletedByAbsence": 1,
        "deletedUnknown": 0,
    }
    files = {name.rpartition("/")[2] for (name,) in stage.history(spark, "source_file") if name is not None}
    assert files == {"stock.csv"}

    # The same again: no commit, and each row keeps the run that wrote it first.
    columns = (*SHOWN, "loaded_at", "run_id", "row_hash", "source_file")
    before, commits = stage.history(spark, *columns), stage.snapshots(spark)
    assert {version[6] for version in before} == {"one", "two"}
    again = stage.run(D1, D2, run_id="again")
    assert (stage.history(spark, *columns), stage.snapshots(spark)) == (before, commits)
    assert figures(again) == (7, 5, 2, 0) and balances(again)


@pytest.mark.once
def test_what_is_not_proved_deletes_nothing(tmp_path: Path, spark: SparkSession) -> None:
    stage = Stage(tmp_path)
    stage.deliver_rows(D1, row(1, "a"), row(2, "b"), row(3, "c"))
    stage.run(D1, run_id="one")
    before = stage.history(spark, *SHOWN)
    stage.deliver_rows(D2, row(1, "a"), count=3)
    with pytest.raises(InvalidDelivery, match="says 3 rows, and 1 were read"):
        stage.run(D2, run_id="cut")
    # A rejected row may be the one of an absent key, if its key cannot be read.
    stage.deliver_rows(D2, row(1, "a"), row("two", "b"))
    with pytest.raises(
        InvalidDelivery, match="1 rejected rows have no key that can be read, and 2 keys are absent"
    ):
        stage.run(D2, run_id="unreadable")
    assert stage.history(spark, *SHOWN) == before
    # If it can, the key stays as it was; a row whose key is null is only quarantined.
    stage.deliver_rows(D2, row(1, "a"), row(2, "b", "dear"), row("", "z"))
    books = stage.run(D2, run_id="rejected")
    assert figures(books) == (3, 0, 1, 2) and balances(books)
    assert stage.history(spark, *SHOWN) == [*before, (3, "c", "delete", date.fromisoformat(D2), D2)]
    # An empty delivery that is proved to be one deletes everything.
    (stage.root / "raw" / "events" / f"dt={D3}").mkdir()
    stage.deliver_bytes(D3, b'{"rows": 0}', "_count.json")
    assert stage.run(D3, run_id="empty")["outcome"] == "EMPTY"
    assert [version[2] for version in stage.history(spark, *SHOWN) if version[4] == D3] == [
        "delete",
        "delete",
    ]


@pytest.mark.once
def test_a_delivery_that_follows_and_cannot_be_read_again(tmp_path: Path, spark: SparkSession) -> None:
    stage = Stage(tmp_path)
    stage.deliver_rows(D1, row(1, "a"))
    later = stage.deliver_rows(D3, row(1, "a"))
    stage.run(D1, D3, run_id="one")
    before = stage.history(spark, *SHOWN)
    later.unlink()
    stage.deliver_rows(D3, row(1, "other"), file="other.csv")
    stage.deliver_rows(D2, row(1, "b"))
    with pytest.raises(
        InvalidDelivery, match=f"{D3}: its delivery has changed since, .* run these dates in one run"
    ):
        stage.run(D2, run_id="late")
    assert stage.history(spark, *SHOWN) == before
    assert stage.run(D2, D3, run_id="both")["written"] == 2


# The text that is hashed, as it lies in tables: another text would make a version of every row.
ALL = '6:is_new5:btrue4:name6:sTea 15:price4:n1.55:share21:f0x1.999999999999ap-44:tags10:j["x","y"]'


def test_a_hash_is_the_same_for_ever(each_spark: SparkSession) -> None:
    document = contract_of(WHOLE)
    document["properties"] |= {
        "share": {"type": "number"},
        "is_new": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    }
    document["x-etl"]["format"] = {"kind": "jsonLines"}
    for name in ("name", "price"):
        document["properties"][name].pop("x-null", None)
    names = ["name", "price", "share", "is_new", "tags"]
    document["x-etl"]["output"] += names[2:]
    contract = contract_of_document(document)
    kinds = "name string, price decimal(10,4), share double, is_new boolean, tags array<string>"

    def hashed(*values: str, of: tuple[str, ...] = tuple(names)) -> str:
        columns = [
            f"cast({value} as {kind.partition(' ')[2]}) as {kind.partition(' ')[0]}"
            for value, kind in zip(values, kinds.split(", "), strict=True)
        ]
        [found] = each_spark.range(1).selectExpr(*columns).select(row_hash(contract, of)).collect()
        return str(found[0])

    whole = hashed("'Tea 1'", "1.5", "0.1", "true", "array('x', 'y')")
    assert whole == sha256(ALL.encode()).hexdigest()
    assert hashed(*["null"] * 5) == sha256(b"").hexdigest()
    # Neither the order of the columns nor digits that say nothing.
    assert hashed("'Tea 1'", "1.5000", "1e-1", "true", "array('x', 'y')", of=tuple(reversed(names))) == whole
    assert hashed("'a'", "0", "-0.0D", "null", "null") == hashed("'a'", "0.0000", "0.0D", "null", "null")
    # A column that has no value yet.
    assert hashed("'a'", "1", "null", "null", "null") == hashed(
        "'a'", "1", "null", "null", "null", of=("price", "name")
    )
    # Null is no empty text, a text no number, and what stands in one column does not stand in another.
    different = {
        hashed(name, price, "null", "null", tags)
        for name in ("null", "''", "'1'", "'4:name'")
        for price in ("null", "1", "10", "0.1", "-1")
        for tags in ("null", "array()", "array('1')", "array('1', '')", "array(null)")
    }
    assert len(different) == 4 * 5 * 5


@pytest.mark.once
def test_increments_of_two_sources_are_one_history(tmp_path: Path, spark: SparkSession) -> None:
    formats: dict[str, Any] = {
        "north": {"endings": [".csv"], "whenMissing": "report", "format": {"kind": "csv"}},
        "south": {"endings": [".jsonl"], "whenMissing": "report", "format": {"kind": "jsonLines"}},
    }
    stage = Stage(tmp_path, changes=INCREMENT, extension={"sources": formats, "sourceColumn": "of"})
    stage.deliver_rows(D1, row(1, "a"), row(2, "b"))
    stage.deliver_bytes(D1, south(1, "A") + south(3, "c") + b"{\n", "stock.jsonl")
    stage.deliver_bytes(D2, south(2, "b") + south(3, "c"), "stock.jsonl")
    books = stage.run(D1, D2)
    days = date.fromisoformat(D1), date.fromisoformat(D2)
    # The files of a day follow one another by their names, and whose row it is belongs to the row.
    assert stage.history(spark, "sku", "name", "of", "change", "valid_from") == [
        (1, "a", "north", "insert", days[0]),
        (1, "A", "south", "update", days[0]),
        (2, "b", "north", "insert", days[0]),
        (2, "b", "south", "update", days[1]),
        (3, "c", "south", "insert", days[0]),
    ]
    assert figures(books) == (7, 5, 1, 1) and balances(books)
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        "north": (2, 2, 0, 0),
        "south": (5, 3, 1, 1),
    }
    assert books["missingSources"] == [{"source": "north", "date": D2}]


def south(sku: int, name: str) -> bytes:
    return json.dumps({"shop": "s", "sku": sku, "name": name, "op": "U"}).encode() + b"\n"
