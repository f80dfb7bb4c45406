"""A run that recomputes models may be killed at any point: run again it ends as if nothing had been, and
whatever comes instead of it leaves models that agree with the table."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake
from etl.write import partitions
from pyspark.sql import DataFrame, SparkSession
from restating import Killed, killed_before
from rides import BY_CITY, Rides, ride

pytestmark = pytest.mark.once

D1, D2, D3, D9 = "2024-04-01", "2024-04-02", "2024-04-03", "2024-05-09"
NOON = "T12:00:00Z"
STEPS = [
    *("write_text", "delete", "delete"),  # the note; what a killed write left
    *("write_partitions", "write_partitions", "delete", "delete"),  # output, quarantine; what became stale
    *(
        "delete",
        "write_partitions",
        "delete",
    ),  # the model: what a killed write left, its dates, what became stale
    *(["write_text"] * 4),  # the books of the date and of the run, its files, its summary
    "delete",  # the note
]
WRITTEN, PUBLISHED, RECOMPUTED = 5, 7, 10


def rides_of(root: Path) -> Rides:
    return Rides(Lake(root), (BY_CITY,))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """Before a correction: it loses the only ride of the 2nd, changes the 1st, and has the first of the
    3rd."""
    rides = rides_of(tmp_path_factory.mktemp("before"))
    rides.lake.deliver(D1, ride("a", f"{D1}{NOON}"), ride("b", f"{D2}{NOON}"))
    rides.run(D1, run_id="first")
    rides.lake.deliver(D1, ride("a", f"{D1}{NOON}", minutes=99), ride("c", f"{D3}{NOON}"))
    rides.lake.deliver(D9, ride("z", f"{D9}{NOON}"))
    return rides.lake.root


@pytest.fixture(scope="module")
def undisturbed(before: Path, tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Any:
    """The model after the correction without a kill, and the order of the steps of a run."""
    rides = rides_of(shutil.copytree(before, tmp_path_factory.mktemp("undisturbed") / "lake"))
    with killed_before(len(STEPS)) as begun:
        rides.run(D1)
    assert begun == STEPS
    rides.check(spark)
    made = rides.made(spark, "rides_by_city")
    assert {row[3] for row in made} == {D1, D3}
    return made


@pytest.fixture
def rides(before: Path, tmp_path: Path) -> Rides:
    return rides_of(shutil.copytree(before, tmp_path / "lake"))


@pytest.mark.parametrize(
    "step",
    [
        PUBLISHED,
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in (1, 4, PUBLISHED + 2, WRITTEN, RECOMPUTED, len(STEPS) - 1)
        ),
    ],
)
def test_killed_between_two_steps(rides: Rides, spark: SparkSession, undisturbed: Any, step: int) -> None:
    with killed_before(step), pytest.raises(Killed):
        rides.run(D1)
    assert "unfinished" in rides.lake.books_by_date()
    rides.run(D1)
    assert rides.made(spark, "rides_by_city") == undisturbed
    assert "unfinished" not in rides.lake.books_by_date()


@pytest.mark.long
@pytest.mark.parametrize("step", [PUBLISHED, WRITTEN])
def test_killed_and_then_another_date(rides: Rides, spark: SparkSession, step: int) -> None:
    """The rows of the 2nd are gone from the table: the next run must know that they had been there."""
    with killed_before(step), pytest.raises(Killed):
        rides.run(D1)
    rides.run(D9, run_id="another")
    rides.check(spark)
    assert "unfinished" not in rides.lake.books_by_date()


def test_killed_twice(rides: Rides, spark: SparkSession) -> None:
    """The second run lists dates from which the first one had taken the 2nd already."""
    with killed_before(PUBLISHED), pytest.raises(Killed):
        rides.run(D1)
    with killed_before(PUBLISHED), pytest.raises(Killed):
        rides.run(D9, run_id="another")
    assert rides.lake.books_by_date()["unfinished"]["touched"]["ride_date"] == [D1, D2, D3]
    rides.run(D1)
    rides.check(spark)
    # The second run had published, too.
    assert {row[3] for row in rides.made(spark, "rides_by_city")} == {D1, D3, D9}


@pytest.mark.parametrize("run", [D1, pytest.param(D9, marks=pytest.mark.long)])
def test_killed_in_the_write_of_a_model(
    rides: Rides, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    """Spark removes partitions before it moves the new ones there."""
    honest = partitions.write_partitions

    def half(frame: DataFrame, location: str, **how: Any) -> None:
        if Path(location).name != "rides_by_city":
            honest(frame, location, **how)
            return
        for path in (Path(location) / f"ride_date={D1}").glob("*"):
            path.unlink()
        honest(frame.filter(f"ride_date = date '{D3}'"), location, **how)
        raise Killed("in the write of a model")

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(partitions, "write_partitions", half)
        rides.run(D1)
    assert {row[3] for row in rides.made(spark, "rides_by_city")} == {D2, D3}
    rides.run(run, run_id="next")
    rides.check(spark)


def test_killed_at_its_first_run_and_then_another_date(tmp_path: Path, spark: SparkSession) -> None:
    """Its rows are in the table, though no book says so."""
    rides = rides_of(tmp_path)
    rides.lake.deliver(D1, ride("a", f"{D1}{NOON}"))
    rides.lake.deliver(D9, ride("z", f"{D9}{NOON}"))
    with killed_before(PUBLISHED), pytest.raises(Killed):
        rides.run(D1)
    rides.run(D9, run_id="another")
    rides.check(spark)
    assert {row[3] for row in rides.made(spark, "rides_by_city")} == {D1, D9}
