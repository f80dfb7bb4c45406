"""The job on files of AWS DMS: which file is of which date, their order, and what ends a run."""

from datetime import date
from pathlib import Path

import pytest
from dms_stages import KINDS, LOAD_DAY, DmsStage, Kind, change, stock, written
from etl import io
from etl.errors import InvalidDelivery, MissingDelivery
from etl.ingest.contract import Dms
from etl.ingest.dms_files import day_of_name, list_days
from pyspark.sql import SparkSession
from support import balances, figures

D1, D2, D3 = LOAD_DAY, "2025-11-21", "2025-11-22"
SHOWN = ("sku", "name", "change", "run_date")

FOLDERS = [
    ("", "", "20251121-0000001000.csv"),
    ("YYYYMMDD", "/", "2025/11/21/20251122-0000001000.csv"),
    ("YYYYMMDDHH", "/", "2025/11/21/23/20251122-0000001000.csv"),
    ("YYYYMMDDHH", "", "2025112123/20251122-0000001000.csv"),
    ("MMYYYYDD", "_", "11_2025_21/20251122-0000001000.csv"),
    ("DDMMYYYY", "-", "21-11-2025/20251122-0000001000.csv"),
]


@pytest.mark.parametrize(("sequence", "delimiter", "name"), FOLDERS)
def test_the_day_of_a_file(tmp_path: Path, sequence: str, delimiter: str, name: str) -> None:
    dms = Dms(date(2025, 11, 20), sequence, delimiter)
    day = date(2025, 11, 21)
    assert day_of_name(name, dms) == day
    for other in (name, "LOAD00000001.csv", "LOAD0000000A.csv", "LOAD00000010.csv"):
        path = tmp_path / other
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    found = list_days(f"{tmp_path}/", dms, [date(2025, 11, 20), day, date(2025, 11, 22)])
    assert {at: [file.name for file in files] for at, files in found.items()} == {
        date(2025, 11, 20): ["LOAD00000001.csv", "LOAD0000000A.csv", "LOAD00000010.csv"],
        day: [name],
    }


def test_names_that_are_of_no_day(tmp_path: Path) -> None:
    dms, day = Dms(date(2025, 11, 20)), date(2025, 11, 21)
    for name in ("2025/11/21/20251121-1.csv", "20251131-1.csv", "20251121-.csv", "20251121-1", "x.csv"):
        assert day_of_name(name, dms) is None
    (tmp_path / "20251121-copy.csv").write_text("x\n")
    with pytest.raises(InvalidDelivery, match=r"20251121-copy.csv: .* AWS DMS gives no such name"):
        list_days(f"{tmp_path}/", dms, [day])
    (tmp_path / "20251121-copy.csv").unlink()
    (tmp_path / "LOAD1 (2).csv").write_text("x\n")
    with pytest.raises(InvalidDelivery, match="no such name to a part of a full load"):
        list_days(f"{tmp_path}/", dms, [date(2025, 11, 20)])
    with pytest.raises(InvalidDelivery, match=r"the contract knows of none: say x-etl.dms.fullLoadDate"):
        list_days(f"{tmp_path}/", Dms(None), [day])
    (tmp_path / "20251119-1.csv").write_text("x\n")
    with pytest.raises(InvalidDelivery, match=r"lie before the full load, .* on 2025-11-20"):
        list_days(f"{tmp_path}/", dms, [date(2025, 11, 19)])


def history_of(stage: DmsStage, spark: SparkSession) -> list[tuple[object, ...]]:
    return stage.versions(spark, *SHOWN)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_load_and_what_follows(tmp_path: Path, spark: SparkSession, kind: str) -> None:
    stage = DmsStage(tmp_path, kind=KINDS[kind])
    writer = stage.writer
    # More than fifteen parts, whose numbers are hexadecimal. The last one has a row of its own.
    names = ["a,b", 'say "c"', "d\ne", None, *(f"n{at}" for at in range(13))]
    assert len(writer.load([stock(at, name, "1.50") for at, name in enumerate(names)], 1)) == 17
    writer.changes(
        [
            change("U", f"{D1} 10:00:00", 1, stock(1, "B", "2")),
            # A key that is deleted and inserted on one day.
            change("D", f"{D1} 11:00:00", 2, stock(2, "ignored")),
            change("I", f"{D1} 11:00:01", 3, stock(2, "again")),
            # An update of a row that nobody has inserted.
            change("U", f"{D1} 12:00:00", 4, stock(99, "unknown")),
        ],
        written(f"{D1} 12:01:00"),
    )
    writer.changes([change("D", f"{D2} 10:00:00", 5, stock(1, None))], written(f"{D2} 10:01:00"))
    books = stage.run(D1, D2)
    assert balances(books)
    assert figures(books) == (22, 22, 0, 0)
    found = history_of(stage, spark)
    assert [one for one in found if one[0] in (1, 2, 99)] == [
        (1, 'say "c"', "insert", D1),
        (1, "B", "update", D1),
        (1, "B", "delete", D2),
        (2, "d\ne", "insert", D1),
        (2, "d\ne", "delete", D1),
        (2, "again", "insert", D1),
        (99, "unknown", "insert", D1),
    ]
    assert {one[:3] for one in found if one[3] == D1 and one[2] == "insert"} >= {
        (at, name, "insert") for at, name in enumerate(names)
    }
    again = stage.run(D1, D2, run_id="again")
    assert history_of(stage, spark) == found
    assert figures(again) == (22, 22, 0, 0)


def test_what_is_written_again_after_a_restart(tmp_path: Path, spark: SparkSession) -> None:
    stage = DmsStage(tmp_path)
    writer = stage.writer
    writer.load([stock(1, "a")], 10)
    # One transaction: its rows have one commit time.
    of_one = [change("U", f"{D1} 23:59:59", at, stock(1, name)) for at, name in enumerate("bab", start=1)]
    writer.changes(of_one, written(f"{D1} 23:59:59"))
    # Later names, and another day's delivery.
    writer.changes([*of_one, change("D", f"{D2} 01:00:00", 4, stock(1, None))], written(f"{D2} 01:00:01"))
    expected = [
        (1, "a", "insert", D1),
        (1, "b", "update", D1),
        (1, "a", "update", D1),
        (1, "b", "update", D1),
        (1, "b", "delete", D2),
    ]
    # The later day first: then what it repeats is its own, until the earlier one comes.
    stage.run(D2, run_id="late")
    assert [one[3] for one in history_of(stage, spark)] == [D2] * 4
    stage.run(D1, run_id="early")
    assert history_of(stage, spark) == expected


def test_a_delete_with_its_key_alone_lacks_what_is_required(tmp_path: Path, spark: SparkSession) -> None:
    kind = Kind(KINDS["sequence"].settings, has_sequence=True, required=("name",))
    stage = DmsStage(tmp_path, kind=kind)
    writer = stage.writer
    writer.load([stock(1, "a", "1"), stock(2, None)], 10)
    changes = [
        change("D", f"{D1} 10:00:00", 1, stock(1, "a")),
        change("U", f"{D1} 10:00:00", 2, stock(3, None)),
    ]
    writer.changes(changes, written(f"{D1} 10:00:01"))
    books = stage.run(D1)
    assert history_of(stage, spark) == [(1, "a", "insert", D1), (1, "a", "delete", D1)]
    assert figures(books) == (4, 2, 0, 2)
    assert [row["reason"] for row in stage.rows(spark, "quarantine")] == ["missing_name"] * 2


@pytest.mark.once
def test_a_file_that_is_cut_off(tmp_path: Path, spark: SparkSession) -> None:
    stage = DmsStage(tmp_path)
    stage.writer.load([stock(1, "a")], 10)
    stage.run(D1)
    before = history_of(stage, spark)
    rows = [change("U", f"{D2} 10:00:00", at, stock(1, "b", "12.50")) for at in (1, 2)]
    [path] = stage.writer.changes(rows, written(f"{D2} 10:00:01"))
    whole = path.read_bytes()
    # Within the last value, where the row would look whole.
    path.write_bytes(whole[:-2])
    with pytest.raises(
        InvalidDelivery, match=r"20251121-.*\.csv: its last row has no line end, so it was cut"
    ):
        stage.run(D2, run_id="cut")
    assert history_of(stage, spark) == before
    path.write_bytes(whole)
    assert figures(stage.run(D2, run_id="whole")) == (2, 2, 0, 0)


@pytest.mark.once
def test_parquet_that_is_cut_off_or_lacks_a_column(tmp_path: Path, spark: SparkSession) -> None:
    stage = DmsStage(tmp_path, kind=KINDS["parquet"])
    stage.writer.load([stock(1, "a")], 10)
    changes = [change("U", f"{D1} 10:00:00", 1, stock(1, "b"))]
    [path] = stage.writer.changes(changes, written(f"{D1} 10:00:01"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(InvalidDelivery, match="its Parquet is not whole"):
        stage.run(D1, run_id="cut")
    writer = stage.writer
    writer.columns = ("shop", "sku", "price")
    writer.changes(changes, written(f"{D1} 10:00:01"))
    with pytest.raises(InvalidDelivery, match="it has no column name: the table in the source has changed"):
        stage.run(D1, run_id="dropped")
    # One more does no harm: it is not read before the contract has it.
    path.write_bytes(whole)
    writer.columns = ("shop", "sku", "name", "price", "colour")
    row = {**stock(1, "c"), "colour": "red"}
    writer.changes([change("U", f"{D1} 11:00:00", 2, row)], written(f"{D1} 11:00:01"))
    stage.run(D1, run_id="added")
    assert [one[1] for one in history_of(stage, spark)] == ["a", "b", "c"]


@pytest.mark.once
@pytest.mark.parametrize("columns", [("shop", "sku", "name"), ("shop", "sku", "name", "price", "colour")])
def test_a_column_more_or_less_in_the_middle_of_a_day(
    tmp_path: Path, spark: SparkSession, columns: tuple[str, ...]
) -> None:
    stage = DmsStage(tmp_path)
    stage.writer.load([stock(1, "a")], 10)
    stage.writer.changes([change("U", f"{D1} 10:00:00", 1, stock(1, "b"))], written(f"{D1} 10:00:01"))
    stage.run(D1)
    before = history_of(stage, spark)
    writer = stage.writer
    writer.columns = columns
    row = {**stock(1, "c"), "colour": "red"}
    [path] = writer.changes([change("U", f"{D1} 11:00:00", 2, row)], written(f"{D1} 11:00:01"))
    with pytest.raises(
        InvalidDelivery,
        match=rf"{path.name}: its first row has {len(columns) + 3} fields, and .* names 7 columns",
    ):
        stage.run(D1, run_id="altered")
    assert history_of(stage, spark) == before


@pytest.mark.once
def test_a_source_table_that_was_truncated(tmp_path: Path, spark: SparkSession) -> None:
    stage = DmsStage(tmp_path)
    loaded = stage.writer.load([stock(1, "a"), stock(2, "b")], 1)
    first = [change("U", f"{D1} 10:00:00", 1, stock(1, "b"))]
    stage.writer.changes(first, written(f"{D1} 10:00:01"))
    stage.run(D1)
    before = history_of(stage, spark)
    kept = loaded[1].read_bytes()
    loaded[1].unlink()
    stage.writer.changes([change("I", f"{D1} 12:00:00", 2, stock(3, "c"))], written(f"{D1} 12:00:01"))
    with pytest.raises(
        InvalidDelivery,
        match=r"whose changes lie in the table are gone: .*LOAD00000002\.csv: nothing was written",
    ):
        stage.run(D1, run_id="gone")
    # No changes on a day, and no file at all.
    with pytest.raises(MissingDelivery, match=f"no delivery .* for {D3}"):
        stage.run(D3, run_id="quiet")
    for path in stage.raw.rglob("*.csv"):
        path.unlink()
    with pytest.raises(InvalidDelivery, match="store/stock/ has no file at all"):
        stage.run(D3, run_id="empty")
    assert history_of(stage, spark) == before
    loaded[1].write_bytes(kept)
    assert io.list_folder(f"{stage.raw}/store/stock/") == ["LOAD00000002.csv"]


@pytest.mark.parametrize("of", ["sequence", "commit time", "parquet"])
def test_a_column_that_was_added_is_null_in_files_of_before(
    tmp_path: Path, spark: SparkSession, of: str
) -> None:
    kind = KINDS[of]
    added = Kind(kind.settings, has_sequence=kind.has_sequence, added=("colour",))
    stage = DmsStage(tmp_path, kind=added)
    old, new = kind.writer(stage.raw), added.writer(stage.raw)
    old.load([stock(1, "a")], 10)
    old.changes([change("U", f"{D1} 10:00:00", 1, stock(1, "b"))], written(f"{D1} 10:00:01"))
    row = {**stock(1, "c"), "colour": "red"}
    new.changes([change("U", f"{D1} 11:00:00", 2, row)], written(f"{D1} 11:00:01"))
    books = stage.run(D1)
    assert figures(books) == (3, 3, 0, 0)
    assert stage.versions(spark, "name", "colour") == [("a", None), ("b", None), ("c", "red")]
