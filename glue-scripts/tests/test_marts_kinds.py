"""The kinds of marts give the rows of an independent model, whatever the history, and hold their invariants.

Keys do not know of one another, so one history with many keys is many histories."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from etl.marts.invariants import check_facts, check_key, check_versions
from etl.marts.kinds.as_of import as_of, states
from etl.marts.kinds.intervals import Versioned, current
from etl.marts.kinds.scd2 import Dimension, deletes, scd2
from etl.marts.kinds.star import FiscalYear, Lookup, calendar, date_key, with_keys, with_unknown
from etl.session import configure
from histories import BEGIN, COMPARED, DAYS, KEY, OVERWRITTEN, frame, history
from marts_model import Staged, amount, calendar_day, there_on, valid_at, versions_of
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

DIMENSION = Dimension(COMPARED, OVERWRITTEN, "product_key")
COLUMNS = (*KEY, *COMPARED, *OVERWRITTEN)


@pytest.fixture(autouse=True)
def as_the_job_runs(spark: SparkSession) -> None:
    """The settings of a run with few rows."""
    configure(spark, 0)


def rows_of(rows: DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(map(tuple, rows.collect()))


def versioned(spark: SparkSession, staged: list[Staged], chance: random.Random) -> Versioned:
    return Versioned(frame(spark, staged, chance), KEY)


def model_rows(staged: list[Staged]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            *(*one.key, *one.compared, *one.overwritten, one.since, one.until),
            *(one.until is None, one.number, one.surrogate),
        )
        for one in versions_of(staged)
    )


def compare(spark: SparkSession, seed: int, keys: int) -> None:
    chance = random.Random(f"marts {seed}")  # noqa: S311
    staged = history(chance, keys)
    assert {"insert", "update", "delete"} == {one.change for one in staged}
    expected = model_rows(staged)
    assert any(one[-2] > 2 for one in expected)
    for _ in range(2):  # shuffled anew: the same rows
        versions = versioned(spark, staged, chance)
        made = scd2(versions, DIMENSION).persist()
        assert rows_of(made) == expected
    gone = deletes(versions)
    assert check_versions(made, KEY, "product_key", gone) == []
    day = (BEGIN + timedelta(days=chance.randrange(DAYS))).date()
    there = there_on(staged, day).values()
    rows = Counter((day, *one.key, *one.compared, *one.overwritten) for one in there)
    assert rows_of(as_of(versions, COLUMNS, day, "as_of_date")) == rows
    compare_days(spark, versions, staged, chance)
    compare_facts(spark, made, staged, chance)
    made.unpersist()


def compare_days(
    spark: SparkSession, versions: Versioned, staged: list[Staged], chance: random.Random
) -> None:
    days = sorted(chance.sample([(BEGIN + timedelta(days=number)).date() for number in range(DAYS)], 3))
    asked = spark.createDataFrame([(day,) for day in days], "date date")
    expected = Counter(
        (day, *one.key, *one.compared) for day in days for one in there_on(staged, day).values()
    )
    assert rows_of(states(versions, (*KEY, *COMPARED), asked, "date")) == expected
    present = Counter((*one.key, *one.compared) for one in there_on(staged, date.max).values())
    assert rows_of(current(versions).select(*KEY, *COMPARED)) == present


def compare_facts(spark: SparkSession, made: DataFrame, staged: list[Staged], chance: random.Random) -> None:
    dimension = with_unknown(made, "product_key", -2)
    keys = sorted({one.key for one in staged})
    sales = [
        (
            number,
            *(chance.choice(keys) if chance.random() < 0.9 else chance.choice(((None, 1), ("none", 2)))),
            BEGIN + timedelta(hours=chance.randrange(24 * DAYS)),
            chance.choice((-3, 1, 12)),
            Decimal(chance.randrange(100_000)) / 10_000,
        )
        for number in range(150)
    ]
    schema = "number int, code string, size int, sold_at timestamp_ntz, quantity int, price decimal(10,4)"
    facts = spark.createDataFrame(sales, schema)
    lookup = Lookup("dim_product", "product_key", {"product_id": "code", "size": "size"}, -2)
    keyed = with_keys(facts, F.to_date("sold_at"), [(lookup, dimension)])
    cents = F.round(F.col("quantity") * F.col("price"), 2).cast("decimal(14,2)")
    versions = versions_of(staged)
    expected: Counter[tuple[Any, ...]] = Counter()
    for number, code, size, moment, quantity, price in sales:
        valid = valid_at(versions, (code, size), moment.date())
        key = -2 if valid is None else valid.surrogate
        expected[number, int(f"{moment:%Y%m%d}"), key, amount(quantity, price)] += 1
    assert rows_of(keyed.select("number", date_key(F.to_date("sold_at")), "product_key", cents)) == expected
    assert check_facts(keyed, "product_key", dimension, "dim_product") == []
    assert check_versions(dimension, KEY, "product_key", deletes_of(spark, made), unknown=-2) == []


def deletes_of(spark: SparkSession, made: DataFrame) -> DataFrame:
    """Each end of a version may be a delete, for a test that asks about other things."""
    return made.select(*KEY, "valid_to")


def test_random_histories_give_the_rows_of_the_model(spark: SparkSession) -> None:
    compare(spark, seed=1, keys=120)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 30))
def test_more_histories(spark: SparkSession, seed: int) -> None:
    compare(spark, seed, keys=300)


def test_a_late_change_cuts_in_and_leaves_the_keys_of_others(spark: SparkSession) -> None:
    def change(day: int, price: str, kind: str = "update", delivered: int | None = None) -> Staged:
        moment = BEGIN + timedelta(days=day)
        run_date = (BEGIN + timedelta(days=day if delivered is None else delivered)).date()
        return Staged(("p", 1), ("d", Decimal(price)), (None, None), kind, moment, f"{run_date}", 1)

    chance = random.Random(1)  # noqa: S311
    before = [change(0, "1", "insert"), change(4, "3"), change(6, "3", "delete"), change(8, "3", "insert")]
    after = [*before, change(2, "2", delivered=9)]
    old, new = (
        {row["valid_from"]: row for row in scd2(versioned(spark, one, chance), DIMENSION).collect()}
        for one in (before, after)
    )
    days = [(BEGIN + timedelta(days=number)).date() for number in (0, 2, 4, 6, 8)]
    assert [
        (one["valid_from"], one["valid_to"], one["version"]) for one in sorted(new.values(), key=since)
    ] == [
        (days[0], days[1], 1),
        (days[1], days[2], 2),
        (days[2], days[3], 3),
        (days[4], None, 4),
    ]
    assert {day: old[day]["product_key"] for day in old} == {day: new[day]["product_key"] for day in old}
    assert [old[day]["version"] for day in sorted(old)] == [1, 2, 3]


def since(row: Any) -> Any:
    return row["valid_from"]


def test_a_version_in_timestamps_lasts_for_parts_of_a_day(spark: SparkSession) -> None:
    moments = [BEGIN + timedelta(hours=hour) for hour in (0, 5, 5, 9)]
    staged = [
        Staged(("p", 1), (text, None), (None, None), "update", moment, f"{moment.date()}", number)
        for number, (moment, text) in enumerate(zip(moments, "abca", strict=True))
    ]
    versions = versioned(spark, staged, random.Random(1))  # noqa: S311
    made = scd2(versions, replace(DIMENSION, kind="timestamp_ntz")).orderBy("version").collect()
    assert [(row["description"], row["valid_from"], row["valid_to"]) for row in made] == [
        ("a", moments[0], moments[1]),
        ("c", moments[1], moments[3]),
        ("a", moments[3], None),
    ]
    assert len({row["product_key"] for row in made}) == 3


@pytest.mark.parametrize("by_end", [True, False])
@pytest.mark.parametrize("first_month", [1, 4, 7, 12])
def test_the_calendar_is_that_of_the_model(spark: SparkSession, first_month: int, *, by_end: bool) -> None:
    first, last = date(2009, 12, 28), date(2012, 3, 1)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    made = calendar(spark, first, last, FiscalYear(first_month, by_end)).orderBy("date").collect()
    assert [tuple(row) for row in made] == [calendar_day(day, first_month, by_end=by_end) for day in days]


GOOD = [
    ("p", 1, date(2010, 12, 1), date(2010, 12, 3), False, 1, 10),
    ("p", 1, date(2010, 12, 3), date(2010, 12, 4), False, 2, 11),
    ("p", 1, date(2010, 12, 6), None, True, 3, 12),
    ("q", 1, date(2010, 12, 1), None, True, 1, 13),
    (None, None, None, None, True, 1, -2),
]


def changed(row: int, **values: Any) -> list[tuple[Any, ...]]:
    names = ("product_id", "size", "valid_from", "valid_to", "is_current", "version", "product_key")
    rows = [dict(zip(names, one, strict=True)) for one in GOOD]
    rows[row] |= values
    return [tuple(one.values()) for one in rows]


@pytest.mark.parametrize(
    ("rows", "violated"),
    [
        (GOOD, []),
        (changed(0, valid_to=date(2010, 12, 2)), ["a gap begins with a delete: 1 rows"]),
        (changed(0, valid_to=date(2010, 12, 4)), ["no two versions of a key overlap: 1 rows"]),
        (changed(1, valid_to=date(2010, 12, 3)), ["a version begins before it ends: 1 rows", "a gap"]),
        (
            changed(1, valid_to=None, is_current=True),
            ["no two versions of a key overlap: 1 rows", "a key has one open version at most: 2 rows"],
        ),
        (changed(3, is_current=False), ["a version is current as long as it is open: 1 rows"]),
        (changed(2, version=4), ["versions of a key are numbered from 1: 1 rows"]),
        (changed(3, product_key=10), ["no two versions have the same product_key: 1 rows"]),
        (changed(3, product_id=None), ["each version has its key: 1 rows"]),
        (
            changed(4, product_key=-1),
            ["a version begins", "each version has", "the dimension has one member"],
        ),
        (GOOD[:-1], ["the dimension has one member -2: 1 rows"]),
    ],
)
def test_each_invariant_is_violated_by_name(
    spark: SparkSession, rows: list[tuple[Any, ...]], violated: list[str]
) -> None:
    schema = (
        "product_id string, size int, valid_from date, valid_to date, is_current boolean, version int, "
        "product_key bigint"
    )
    gone = spark.createDataFrame([("p", 1, date(2010, 12, 4))], "product_id string, size int, valid_to date")
    found = check_versions(spark.createDataFrame(rows, schema), KEY, "product_key", gone, unknown=-2)
    assert [f"{one}"[: len(text)] for one, text in zip(found, violated, strict=True)] == violated


def test_facts_need_their_rows_and_keys(spark: SparkSession) -> None:
    facts = spark.createDataFrame([(1, 10), (2, 11), (2, None)], "number int, product_key bigint")
    dimension = spark.createDataFrame([(10,)], "product_key bigint")
    assert [f"{one}" for one in check_facts(facts, "product_key", dimension, "dim_product")] == [
        "each fact has a row of dim_product: 2 rows"
    ]
    assert [f"{one}" for one in check_key(facts, ("number", "product_key"))] == [
        "each row has number, product_key: 1 rows"
    ]
    assert [f"{one}" for one in check_key(facts, ("number",))] == ["no two rows have the same number: 1 rows"]
