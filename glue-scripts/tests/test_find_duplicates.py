"""Rows that repeat a key: the rule in examples, and against runs day by day."""

import random
from collections.abc import Iterable
from datetime import date, timedelta

from etl.ingest.transforms.find_duplicates import find_duplicates, find_repeated
from pyspark.sql import SparkSession

Line = tuple[str, str, str, int, int]  # key, run date, file, start of block, row id
SCHEMA = "event_id string, run_date string, file_path string, block_start long, row_id long"


def find(
    spark: SparkSession,
    lines: Iterable[Line],
    earlier: Iterable[tuple[str, str]] | None = None,
    lookback_days: int = 7,
) -> list[int]:
    """The row ids of the duplicates."""
    rows = spark.createDataFrame(list(lines), SCHEMA)
    before = (
        None if earlier is None else spark.createDataFrame(list(earlier), "event_id string, run_date string")
    )
    repeated = find_repeated(rows, before, ("event_id",))
    found = find_duplicates(rows, before, repeated, ("event_id",), lookback_days)
    return sorted(row["row_id"] for row in found.collect())


def line(row_id: int, key: str, day: str, file: str = "a.json", block_start: int = 0) -> Line:
    return (key, day, f"file:///raw/dt={day}/{file}", block_start, row_id)


def test_single_keys_are_not_duplicates(spark: SparkSession) -> None:
    assert find(spark, [line(0, "a", "2010-12-01"), line(1, "b", "2010-12-01")]) == []


def test_the_first_date_then_file_then_block_then_line_wins(spark: SparkSession) -> None:
    # Row ids alone would choose otherwise: Spark reads large files first.
    lines = [
        line(0, "date", "2010-12-02"),
        line(9, "date", "2010-12-01"),
        line(1, "file", "2010-12-01", "b.json"),
        line(8, "file", "2010-12-01", "a.json"),
        line(2, "block", "2010-12-01", block_start=100),
        line(7, "block", "2010-12-01", block_start=0),
        line(3, "line", "2010-12-01"),
        line(4, "line", "2010-12-01"),
        line(5, "name", "2010-12-01", "a%20b.json"),
        line(6, "name", "2010-12-01", "a!b.json"),
    ]
    assert find(spark, lines) == [0, 1, 2, 4, 6]


def test_the_window_reaches_back_as_far_as_the_contract_says_and_no_further(spark: SparkSession) -> None:
    earlier = [("seven", "2010-12-01"), ("eight", "2010-11-30")]
    lines = [line(0, "seven", "2010-12-08"), line(1, "eight", "2010-12-08")]
    assert find(spark, lines, earlier) == [0]


def test_a_removed_row_opens_no_new_window(spark: SparkSession) -> None:
    days = ["2010-12-01", "2010-12-05", "2010-12-09", "2010-12-12", "2010-12-17"]
    lines = [line(number, "a", day) for number, day in enumerate(days)]
    # The 1st is kept and the 5th repeats it; the 9th is kept and the 12th repeats it; the 17th is kept.
    assert find(spark, lines) == [1, 3]


def test_what_lies_between_the_dates_of_the_run_counts(spark: SparkSession) -> None:
    lines = [line(0, "a", "2010-12-01"), line(1, "b", "2010-12-03")]
    assert find(spark, lines, [("b", "2010-12-02"), ("a", "2010-12-02")]) == [1]


def test_without_a_window_only_the_date_itself_counts(spark: SparkSession) -> None:
    lines = [line(0, "a", "2010-12-01"), line(1, "a", "2010-12-01"), line(2, "a", "2010-12-02")]
    assert find(spark, lines, lookback_days=0) == [1]


def test_no_rows_and_nothing_earlier(spark: SparkSession) -> None:
    assert find(spark, []) == []
    assert find(spark, [], []) == []


def day_by_day(lines: list[Line], kept: set[tuple[str, str]], lookback_days: int) -> list[int]:
    """The promise itself, in Python: each date sees what the dates before it kept."""
    removed = []
    for day in sorted({row[1] for row in lines}):
        start = date.fromisoformat(day) - timedelta(days=lookback_days)
        seen = {key for key, on in kept if start <= date.fromisoformat(on) < date.fromisoformat(day)}
        for key, _, _, _, row_id in sorted((row for row in lines if row[1] == day), key=lambda row: row[2:]):
            if key in seen:
                removed.append(row_id)
            seen.add(key)
            if row_id not in removed:
                kept.add((key, day))
    return sorted(removed)


def test_a_back_fill_is_the_runs_day_by_day(spark: SparkSession) -> None:
    generator = random.Random(20101201)  # noqa: S311
    days = [(date(2010, 12, 1) + timedelta(days=offset)).isoformat() for offset in range(30)]
    for lookback_days in (0, 3, 7):
        lines = [
            line(row_id, f"k{generator.randrange(40)}", generator.choice(days[8:]), generator.choice("abc"))
            for row_id in range(250)
        ]
        rebuilt = {row[1] for row in lines}
        earlier = {
            (f"k{generator.randrange(40)}", day)
            for day in days[:8] + [day for day in days[8:] if day not in rebuilt]
        }
        assert len(earlier) > 3
        expected = day_by_day(lines, set(earlier), lookback_days)
        assert find(spark, lines, earlier, lookback_days) == expected
        assert expected
