"""Models are recomputed for the dates that a run touches, from all rows of these dates, and for no others."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake
from etl.errors import InvalidArguments, ModelRefused, PlanRefused
from etl.model.check_models import check_models
from etl.model.models import Model, load_models
from etl.write import partitions
from pyspark.sql import SparkSession
from rides import BY_CITY, LONGEST, Rides, ride

D1, D2, D3 = "2024-03-30", "2024-03-31", "2024-04-01"


@pytest.fixture
def rides(lake: Lake) -> Rides:
    return Rides(lake)


def deliver_two_days(rides: Rides) -> None:
    """The 31st has 23 hours in Berlin. The last ride of the 30th is received on the 31st."""
    rides.lake.deliver(
        D1,
        ride("r1", "2024-03-30T09:00:00Z"),
        ride("r2", "2024-03-30T22:59:59Z", bike="b2"),
        ride("r3", "2024-03-30T23:00:00Z", city=None, minutes=30),
        ride("bad", "yesterday"),
    )
    rides.lake.deliver(
        D2,
        ride("r4", "2024-03-30T22:59:59Z", bike="b2", minutes=5),
        ride("r5", "2024-03-31T21:59:59Z", city="Bonn"),
        ride("r6", "2024-03-31T22:00:00Z"),
        ride("r1", "2024-03-30T09:00:00Z"),
    )


def test_a_date_is_made_of_the_rows_of_all_runs(each_spark: SparkSession, rides: Rides) -> None:
    deliver_two_days(rides)
    first = rides.run(D1, run_id="first")
    assert rides.made(each_spark, "rides_by_city") == [
        (1, "-", 30, "2024-03-31", 1),
        (2, "Köln", 20, "2024-03-30", 2),
    ]
    assert first["models"] == {
        "rides_by_city": {"dates": 2, "rows": 2},
        "longest_rides": {"dates": 2, "rows": 2},
    }
    second = rides.run(D2, run_id="second")
    assert rides.made(each_spark, "rides_by_city") == [
        (1, "-", 30, "2024-03-31", 1),
        (1, "Bonn", 10, "2024-03-31", 1),
        (1, "Köln", 10, "2024-04-01", 1),
        (2, "Köln", 25, "2024-03-30", 3),
    ]
    assert second["models"]["rides_by_city"] == {"dates": 3, "rows": 4}
    assert rides.lake.books("second", "summary")["models"] == second["models"]
    rides.check(each_spark)
    assert "unfinished" not in rides.lake.books_by_date()


@pytest.mark.once
def test_other_dates_are_not_touched(spark: SparkSession, rides: Rides) -> None:
    deliver_two_days(rides)
    rides.run(D1, D2, "both")
    before = rides.files("rides_by_city")
    rides.lake.deliver("2024-04-05", ride("late", "2024-03-31T10:00:00Z", city="Bonn"))
    books = rides.run("2024-04-05", run_id="late")
    assert books["models"]["rides_by_city"] == {"dates": 1, "rows": 2}
    changed = set(rides.files("rides_by_city")) ^ set(before)
    assert {name.split("/")[0] for name in changed} == {"ride_date=2024-03-31"}
    rides.check(spark)


@pytest.mark.once
def test_only_the_folders_of_the_touched_dates_are_read(
    spark: SparkSession, rides: Rides, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_two_days(rides)
    rides.run(D1, D2, "both")
    rides.lake.deliver("2024-04-05", ride("late", "2024-03-31T10:00:00Z"))
    read: list[str] = []
    honest = partitions.read_partitions

    def noted(*given: Any) -> Any:
        if "ride_date" in given[3]:
            read.extend(file.name for file in given[2])
        return honest(*given)

    monkeypatch.setattr(partitions, "read_partitions", noted)
    rides.run("2024-04-05", run_id="late")
    assert {name.rpartition("/")[0] for name in read} == {
        "run_date=2024-03-30/ride_date=2024-03-31",
        "run_date=2024-03-31/ride_date=2024-03-31",
        "run_date=2024-04-05/ride_date=2024-03-31",
    }


@pytest.mark.once
def test_a_date_that_has_no_row_any_more_loses_its_rows(spark: SparkSession, rides: Rides) -> None:
    deliver_two_days(rides)
    rides.run(D1, D2, "both")
    # The corrected delivery has no ride of the 1st of April, and one of the 2nd.
    rides.lake.deliver(
        D2, ride("r5", "2024-03-31T21:59:59Z", city="Bonn"), ride("r7", "2024-04-02T10:00:00Z")
    )
    books = rides.run(D2, run_id="corrected")
    assert books["models"]["rides_by_city"] == {"dates": 4, "rows": 4}
    days = {row[3] for row in rides.made(spark, "rides_by_city")}
    assert days == {"2024-03-30", "2024-03-31", "2024-04-02"}
    rides.check(spark)
    rides.lake.deliver(D2)
    assert rides.run(D2, run_id="empty")["models"]["rides_by_city"] == {"dates": 2, "rows": 1}
    rides.check(spark)


@pytest.mark.once
def test_the_dates_of_a_restated_run_date_follow(spark: SparkSession, rides: Rides) -> None:
    """A correction of the first day takes a ride from the second, whose own date changes with it."""
    rides.lake.deliver(D1, ride("a", "2024-03-30T09:00:00Z"))
    rides.lake.deliver(D2, ride("b", "2024-03-25T09:00:00Z"), ride("c", "2024-03-31T10:00:00Z"))
    rides.run(D1, D2, "both")
    rides.lake.deliver(D1, ride("a", "2024-03-30T09:00:00Z"), ride("b", "2024-03-26T09:00:00Z"))
    books = rides.run(D1, run_id="corrected")
    assert books["restated"]["dates"] == [D2]
    days = {row[1] for row in rides.made(spark, "longest_rides")}
    assert days == {"2024-03-26", "2024-03-30", "2024-03-31"}
    rides.check(spark)


@pytest.mark.once
def test_a_run_twice_gives_the_same_bytes(spark: SparkSession, rides: Rides) -> None:
    deliver_two_days(rides)
    rides.run(D1, D2, "both")

    def contents() -> list[bytes]:
        root = rides.lake.root / "curated"
        return [path.read_bytes() for path in sorted(root.rglob("*.parquet"), key=lambda one: one.parent)]

    before = contents()
    rides.run(D1, D2, "again")
    assert contents() == before


@pytest.mark.once
def test_a_refused_run_recomputes_nothing(spark: SparkSession, rides: Rides) -> None:
    deliver_two_days(rides)
    rides.run(D1, run_id="good")
    before = rides.files("rides_by_city")
    rides.lake.deliver(D1, "no json", "again no json")
    books = rides.run(D1, run_id="refused")
    assert books["outcome"] == "REFUSED"
    assert "models" not in books
    assert rides.files("rides_by_city") == before


def model_of(document: Mapping[str, Any], sql: str) -> Model:
    return load_models(json.dumps({"modelsVersion": 1, "models": [{**document, "sql": sql}]}), "models.json")[
        0
    ]


RIDES = {"ride": "string", "city": "string", "bike": "string", "minutes": "bigint", "ride_date": "date"}


@pytest.mark.parametrize(
    ("sql", "mistakes"),
    [
        (BY_CITY["sql"], []),
        ("select ride_date, nobody from rides", ["its SELECT cannot be computed: [UNRESOLVED_COLUMN"]),
        ("select ride_date from elsewhere", ["its SELECT cannot be computed: [TABLE_OR_VIEW_NOT_FOUND]"]),
        ("select ride_date,, from rides", ["its SELECT cannot be computed: "]),
        (
            "select ride_date, city, 1 as rides, sum(minutes) / 60 as minutes, 1 as hours from rides "
            "group by 1, 2",
            [
                "rides must be bigint, and its SELECT gives int: cast it, or declare that",
                "its SELECT gives no column bikes, which is declared as bigint",
                "minutes must be bigint, and its SELECT gives double: cast it, or declare that",
                "its SELECT gives the column hours, which is not declared",
            ],
        ),
        (
            "select ride_date, city, minutes as rides, minutes as bikes, minutes, minutes from rides",
            ["its SELECT gives the column minutes 2 times"],
        ),
    ],
)
def test_a_select_must_give_the_declared_columns(
    each_spark: SparkSession, sql: str, mistakes: list[str]
) -> None:
    models = [model_of(BY_CITY, sql), model_of(LONGEST, LONGEST["sql"])]
    if not mistakes:
        check_models(each_spark, models, RIDES)
        return
    with pytest.raises(ModelRefused) as refused:
        check_models(each_spark, models, RIDES)
    found = str(refused.value).split("; rides_by_city: ")
    assert len(found) == len(mistakes)
    for text, mistake in zip(found, mistakes, strict=True):
        assert text.removeprefix("rides_by_city: ").startswith(mistake)


@pytest.mark.once
def test_wrong_models_are_refused_before_anything_is_written(spark: SparkSession, lake: Lake) -> None:
    wrong = ({**BY_CITY, "sql": "select 1 as ride_date"}, {**LONGEST, "sql": "select ride_date from rides"})
    deliver_two_days(Rides(lake))
    with pytest.raises(ModelRefused) as refused:
        Rides(lake, wrong).run(D1)
    assert "rides_by_city: ride_date must be date, and its SELECT gives int" in str(refused.value)
    assert "longest_rides: its SELECT gives no column minutes, which is declared as bigint" in str(
        refused.value
    )
    assert not (lake.root / "processed").exists()


@pytest.mark.once
@pytest.mark.parametrize(
    ("sql", "mistake"),
    [
        (
            "select date_add(ride_date, 1) as ride_date, max(minutes) as minutes from rides group by 1",
            "longest_rides: its SELECT gives rows of other dates than those it is made from "
            "(ride_date 2024-04-01): take ride_date as it is",
        ),
        (
            "select ride_date, minutes from rides",
            "longest_rides: its SELECT gives several rows for ride_date 2024-03-30: "
            "group by the key, or declare another",
        ),
    ],
)
def test_rows_that_the_table_cannot_have_are_refused(
    spark: SparkSession, lake: Lake, sql: str, mistake: str
) -> None:
    """The published rows are there by then; the note stays, so that the next run repairs the model."""
    deliver_two_days(Rides(lake))
    with pytest.raises(ModelRefused) as refused:
        Rides(lake, ({**LONGEST, "sql": sql},)).run(D1)
    assert str(refused.value) == mistake
    assert lake.books_by_date()["unfinished"]["dates"] == [D1]
    right = Rides(lake, (LONGEST,))
    lake.deliver(D3, ride("r9", "2024-04-01T10:00:00Z"))
    right.run(D3)
    right.check(spark)
    assert "unfinished" not in lake.books_by_date()


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no models (Expecting value"),
        ('{"modelsVersion": 2}', "has version 2, and this job reads 1: compile the models again"),
        (
            '{"modelsVersion": 1, "models": [{"name": "a"}]}',
            "does not hold whole models (KeyError('source'))",
        ),
    ],
)
def test_models_of_another_form_are_refused(
    lake: Lake, spark: SparkSession, tmp_path: Path, text: str, message: str
) -> None:
    deliver_two_days(Rides(lake))
    (tmp_path / "other.json").write_text(text)
    arguments = {**Rides(lake).arguments(), "models_uri": str(tmp_path / "other.json")}
    with pytest.raises(PlanRefused) as refused:
        lake.run(D1, **arguments)
    assert message in str(refused.value)


@pytest.mark.once
def test_models_need_parquet_and_a_place_of_their_own(lake: Lake, spark: SparkSession) -> None:
    rides = Rides(lake)
    with pytest.raises(InvalidArguments) as refused:
        rides.run(D1, table_format="iceberg", output_database="d", output_table="rides")
    assert "--models_uri needs --table_format 'parquet'" in str(refused.value)
    with pytest.raises(InvalidArguments) as refused:
        lake.run(D1, models_uri="x")
    assert "--models_uri and --models_bucket go together: give both or neither" in str(refused.value)
    with pytest.raises(InvalidArguments) as refused:
        lake.run(D1, models_database="x")
    assert "--models_database needs --models_uri" in str(refused.value)
