"""Proofs that a whole delivery is complete, without Spark: each refusal in full."""

import json
from datetime import date
from pathlib import Path

import pytest
from etl import io
from etl.errors import InvalidDelivery
from etl.ingest.completeness import check_files_of_proof, check_floor, check_hidden_keys
from etl.ingest.contract import Contract, Proof
from etl.ingest.deliveries import Deliveries, list_deliveries
from etl.ingest.sources import DeliverySource, Sources

DAY, NEXT = date(2025, 11, 20), date(2025, 11, 21)
COUNT, MARKER = Proof("count", "_count.json", "rows"), Proof("marker", "_END")
SO = r"\. Nothing was written, because a key that an incomplete delivery lacks is not deleted$"


def delivered(folder: Path, **files: str) -> Deliveries:
    for name, text in files.items():
        path = folder / f"dt={DAY}" / name.replace("__", "/").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    contract = Contract((), (), (), None, None, (), 0, "report")
    return list_deliveries(f"{folder}/", Sources((DeliverySource("", contract),)), [DAY])


def test_a_count_that_is_confirmed(tmp_path: Path) -> None:
    of_day = delivered(tmp_path, **{"_count_json": json.dumps({"rows": 3, "more": 1}), "a.csv": "x"})
    check_files_of_proof(COUNT, of_day, {DAY: 3})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"rows": 4}', r"says 4 rows, and 3 were read"),
        ('{"rows": "3"}', r"gives '3' as rows, which is not a number of rows"),
        ('{"rows": true}', r"gives True as rows, which is not a number of rows"),
        ('{"count": 3}', r"does not give the number of rows as rows \(KeyError\('rows'\)\)"),
        ("[3]", r"does not give the number of rows as rows \(TypeError"),
        ('{"rows": 3', r"does not give the number of rows as rows \(JSONDecodeError"),
    ],
)
def test_a_count_that_is_not(tmp_path: Path, text: str, says: str) -> None:
    of_day = delivered(tmp_path, **{"_count_json": text, "a.csv": "x"})
    with pytest.raises(
        InvalidDelivery, match=f"^not proved to be complete: {DAY}: .*_count.json {says}.*{SO}"
    ):
        check_files_of_proof(COUNT, of_day, {DAY: 3})


def test_a_file_that_is_missing_or_there_twice(tmp_path: Path) -> None:
    with pytest.raises(InvalidDelivery, match=f"{DAY}: it has 0 files _count.json, and must have one{SO}"):
        check_files_of_proof(COUNT, delivered(tmp_path, **{"a.csv": "x"}), {DAY: 3})
    of_day = delivered(tmp_path, _END="", sub___END="")
    with pytest.raises(InvalidDelivery, match="it has 2 files _END, and must have one"):
        check_files_of_proof(MARKER, of_day, {DAY: 0})


def test_a_marker_that_is_there(tmp_path: Path) -> None:
    check_files_of_proof(MARKER, delivered(tmp_path, **{"_END": "", "a.csv": "x"}), {DAY: 1})


def test_a_floor() -> None:
    half = Proof("floor", share=500_000)
    check_floor(half, {DAY: 5, NEXT: 0}, {DAY: 10, NEXT: 0})
    with pytest.raises(
        InvalidDelivery, match=f"{NEXT}: it has 4 keys, and the floor is 0.5 of the 9 that are present{SO}"
    ):
        check_floor(half, {DAY: 5, NEXT: 4}, {DAY: 10, NEXT: 9})


def test_rows_whose_key_cannot_be_read() -> None:
    check_hidden_keys({DAY: 2}, {NEXT: 1})
    check_hidden_keys({}, {DAY: 1})
    with pytest.raises(
        InvalidDelivery, match="2 rejected rows have no key that can be read, and 3 keys are absent"
    ):
        check_hidden_keys({DAY: 2}, {DAY: 3})


def test_a_local_file_is_hidden_as_an_object_is(tmp_path: Path) -> None:
    """The proof lies beside the rows, and is not one of them."""
    [of_day] = delivered(tmp_path, **{"_END": "", "a.csv": "x"}).values()
    assert [file.name.rpartition("/")[2] for file in of_day.files] == ["a.csv"]
    assert all(io.is_hidden(file) for file in of_day.left_out)
