"""Spark's verdicts on the datetime patterns of `cases/datetime-patterns.json`, which are those of synth too
(`contracts/datetime-pattern.ts`)."""

import json
from pathlib import Path
from string import ascii_letters
from typing import Any

import pytest
from etl import session
from etl.ingest.transforms.read_moments import read_moment
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "cases" / "datetime-patterns.json").read_text())
VARIANTS = [(case["pattern"], one["pattern"]) for case in CASES["divided"] for one in case["variants"]]


@pytest.fixture
def configured(spark: SparkSession) -> SparkSession:
    session.configure(spark, 0)
    return spark


def is_read(spark: SparkSession, pattern: str) -> bool:
    """True if Spark makes a parser of the pattern."""
    jvm: Any = spark._jvm
    try:
        jvm.org.apache.spark.sql.catalyst.util.TimestampFormatter.apply(
            pattern, jvm.java.time.ZoneOffset.UTC, True
        )
    except (Py4JJavaError, PySparkException):
        return False
    return True


def test_spark_reads_these_letters_so_many_times_in_a_row_and_no_others(configured: SparkSession) -> None:
    read = {
        letter: [times for times in range(1, 11) if is_read(configured, letter * times)]
        for letter in ascii_letters
    }
    assert {letter: times for letter, times in read.items() if times} == CASES["letters"]


def test_spark_reads_only_some_of_the_patterns_that_synth_refuses(configured: SparkSession) -> None:
    assert [(case["pattern"], is_read(configured, case["pattern"])) for case in CASES["wrong"]] == [
        (case["pattern"], case["isRead"]) for case in CASES["wrong"]
    ]


def written_and_read(
    spark: SparkSession, patterns: list[tuple[str, str]]
) -> list[tuple[str | None, str | None]]:
    """For each pair, a moment written by the second pattern, then read by the first and written again."""
    moment = F.timestamp_micros(F.lit(1_721_051_130_123_456))  # 2024-07-15 13:45:30.123456
    columns = []
    for reading, writing in patterns:
        text = F.date_format(moment, writing)
        columns.append(F.struct(text, F.date_format(read_moment(text, [reading]), writing)))
    (row,) = spark.range(1).select(*columns).collect()
    return [tuple(pair) for pair in row]


def test_spark_reads_what_it_writes_by_a_right_pattern(configured: SparkSession) -> None:
    patterns = [(pattern, pattern) for pattern in CASES["right"]]
    patterns += [(variant, variant) for _, variant in VARIANTS] + VARIANTS
    found = written_and_read(configured, patterns)
    wrong = [(pair, texts) for pair, texts in zip(patterns, found, strict=True) if texts[0] != texts[1]]
    assert wrong == []


def test_a_pattern_that_never_fits_does_not_fit_what_spark_writes_by_it(configured: SparkSession) -> None:
    patterns = [(case["pattern"], case["pattern"]) for case in CASES["neverFits"]]
    assert [text for _, text in written_and_read(configured, patterns)] == [None] * len(patterns)
