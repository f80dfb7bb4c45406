"""Spark's verdict on datetime patterns: `contracts/datetime-pattern.ts` is held to the same cases."""

import json
import string

from conftest import ROOT
from etl import session
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

CASES = json.loads((ROOT / "tests" / "cases" / "datetime-patterns.json").read_text("utf-8"))


def test_the_cases_are_spark_s_own_verdicts(spark: SparkSession) -> None:
    session.configure(spark, 1)
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    utc = jvm.java.time.ZoneOffset.UTC

    def is_taken(pattern: str) -> bool:
        try:
            jvm.org.apache.spark.sql.catalyst.util.TimestampFormatter.apply(pattern, utc, True)
        except (Py4JJavaError, PySparkException):
            return False
        return True

    counts = {
        letter: [count for count in range(1, 11) if is_taken(f"yyyy {letter * count}")]
        for letter in string.ascii_letters
    }
    assert counts == CASES["letters"]
    assert [pattern for pattern in CASES["taken"] if not is_taken(pattern)] == []
    assert [pattern for pattern in CASES["refused"] if is_taken(pattern)] == []
