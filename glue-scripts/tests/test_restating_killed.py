"""A run that restates may be killed at any point: run again it ends as if nothing had been, and whatever
comes instead of it leaves nothing that does not agree."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake
from pyspark.sql import SparkSession
from restating import Keys, Killed, deliver, ends_with, kept, killed_before, killed_in_its_write
from support import D1, D2, D3

pytestmark = pytest.mark.once

D9, D10 = "2010-12-09", "2010-12-10"

FIRST: Keys = {D1: "ab", D2: "bc", D3: "z!", D9: "b", D10: "q"}
# The 2nd gets its b back, which takes it from the 9th; the z takes the 3rd's only row.
CORRECTED: Keys = {D1: "az!"}
AFTER: Keys = {D1: "az", D2: "bc", D10: "q"}
STEPS = [
    *("write_text", "delete", "delete"),  # the note; what a killed write left
    *("write_partitions", "write_partitions", "delete", "delete"),  # output, quarantine; what became stale
    *(["write_text"] * 4),  # the books of four dates
    *(["write_text"] * 3),  # the run's books, its files, its summary
    "delete",  # the note
]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """A lake before the correction is run."""
    lake = Lake(tmp_path_factory.mktemp("before"))
    deliver(lake, FIRST)
    lake.run(D1, D10, "first")
    deliver(lake, CORRECTED, "corrected")
    return lake.root


@pytest.fixture(scope="module")
def undisturbed(
    before: Path, tmp_path_factory: pytest.TempPathFactory, spark: SparkSession
) -> dict[str, Any]:
    """The end state of the correction without a kill, and the order of its steps."""
    lake = Lake(shutil.copytree(before, tmp_path_factory.mktemp("undisturbed") / "lake"))
    with killed_before(len(STEPS)) as begun:
        books = lake.run(D1, D1, "run")
    assert begun == STEPS
    assert books["restated"]["dates"] == [D2, D3, D9]
    assert kept(lake, spark) == AFTER
    return ends_with(lake, spark)


@pytest.fixture
def lake(before: Path, tmp_path: Path) -> Lake:
    return Lake(shutil.copytree(before, tmp_path / "lake"))


@pytest.mark.parametrize(
    "step", [8, *(pytest.param(step, marks=pytest.mark.long) for step in (1, 4, 11, 13))]
)
def test_killed_between_two_steps(
    lake: Lake, spark: SparkSession, undisturbed: dict[str, Any], step: int
) -> None:
    with killed_before(step), pytest.raises(Killed):
        lake.run(D1, D1, "run")
    assert set(lake.books_by_date()) - set(FIRST) == ({"unfinished"} if step else set())
    books = lake.run(D1, D1, "run")
    assert ends_with(lake, spark) == undisturbed
    assert set(books["restated"]["dates"]) >= {D2, D3, D9}


@pytest.mark.parametrize(
    ("unwritten", "lost"),
    [
        pytest.param([D1], [D2], id="the restated ones first"),
        pytest.param([D2, D9], [], id="its own first", marks=pytest.mark.long),
        pytest.param([], [D1, D2], id="all gone"),
    ],
)
def test_killed_in_the_write(
    lake: Lake, spark: SparkSession, undisturbed: dict[str, Any], unwritten: list[str], lost: list[str]
) -> None:
    with killed_in_its_write(lake, "processed", unwritten, lost), pytest.raises(Killed):
        lake.run(D1, D1, "run")
    lake.run(D1, D1, "run")
    assert ends_with(lake, spark) == undisturbed


def test_killed_and_then_delivered_as_before(lake: Lake, spark: SparkSession) -> None:
    """The date lies there as it is delivered, so that it changes nothing: but others are made for another."""
    with killed_in_its_write(lake, "processed", [D1], []), pytest.raises(Killed):
        lake.run(D1, D1, "run")
    assert kept(lake, spark)[D2] == "bc"
    deliver(lake, {D1: FIRST[D1]}, "as before")
    lake.run(D1, D1, "as-before")
    assert kept(lake, spark) == {D1: "ab", D2: "c", D3: "z", D9: "b", D10: "q"}
    assert "unfinished" not in lake.books_by_date()


def test_killed_and_then_delivered_without_a_row(lake: Lake, spark: SparkSession) -> None:
    """Nothing lies there and nothing is delivered: but a later date still leaves out what once lay there."""
    deliver(lake, {D1: "ab"}, "corrected elsewhere")
    with killed_in_its_write(lake, "processed", [], [D1]), pytest.raises(Killed):
        lake.run(D1, D1, "run")
    deliver(lake, {D1: ""})
    lake.run(D1, D1, "empty")
    assert kept(lake, spark) == {D2: "bc", D3: "z", D10: "q"}


def test_killed_and_then_another_date(lake: Lake, spark: SparkSession, undisturbed: dict[str, Any]) -> None:
    with killed_in_its_write(lake, "processed", [D1], []), pytest.raises(Killed):
        lake.run(D1, D1, "run")
    books = lake.run(D10, D10, "another")
    # All agree with the first date as it lies, which is as it was before.
    assert kept(lake, spark) == {D1: "ab", D2: "c", D3: "z", D9: "b", D10: "q"}
    assert set(books["restated"]["dates"]) == {D2, D3, D9}
    assert "unfinished" not in lake.books_by_date()
    lake.run(D1, D1, "run")
    assert ends_with(lake, spark) == undisturbed
