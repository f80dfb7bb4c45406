"""The quality rules on real rows: the shared cases, which Athena's query must judge alike."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from etl import session
from etl.run.measure_quality import measure_quality
from etl.run.quality import DEFAULT_RULE, Verdict, judge
from plans import rules_of_text
from pyspark.sql import DataFrame, SparkSession

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "quality.json").read_text(encoding="utf-8")
)["cases"]
NAMES = [case["name"] for case in CASES]


def judged_rows(spark: SparkSession, case: dict[str, Any]) -> DataFrame:
    """The case's rows as good ones, and as many empty ones per reason as were quarantined."""
    columns: dict[str, str] = case["columns"]
    taken = [reason for reason, count in case["quarantined"].items() for _ in range(count)]
    rows = [(None, *map(value_of, row, columns.values())) for row in case["rows"]]
    rows += [(reason, *(None for _ in columns)) for reason in taken]
    fields = ["reason string", *(f"`{name}` {kind}" for name, kind in columns.items())]
    return spark.createDataFrame(rows, ", ".join(fields))


def value_of(value: Any, kind: str) -> Any:
    if value is None or kind not in ("timestamp", "date"):
        return value
    return datetime.fromisoformat(value) if kind == "timestamp" else date.fromisoformat(value)


def verdict_on(spark: SparkSession, case: dict[str, Any]) -> Verdict:
    session.configure(spark, 0)
    quality = rules_of_text(json.dumps(case["quality"]), case["columns"], case["reasons"])
    rows = judged_rows(spark, case)
    return judge(quality, measure_quality(rows, quality), case["read"], date.fromisoformat(case["toDate"]))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_shared_case_has_its_verdict(each_spark: SparkSession, case: dict[str, Any]) -> None:
    verdict = verdict_on(each_spark, case)
    expected = case["expect"]
    assert {name: list(result) for name, result in verdict.rules.items()} == expected["rules"]
    assert verdict.summary() == {
        "verdict": expected["verdict"],
        "score": expected["score"],
        "threshold": case["quality"]["threshold"],
        "failed": expected["failed"],
    }


def test_the_shared_cases_show_each_type_passing_and_failing() -> None:
    seen = {
        (rule["type"], case["expect"]["rules"][rule["name"]][2])
        for case in CASES
        for rule in case["quality"]["rules"]
    }
    types = {type_ for type_, _ in seen}
    assert len(types) == 7
    assert seen == {(type_, passed) for type_ in types for passed in (True, False)}
    actions = {(rule["type"], rule["action"]) for case in CASES for rule in case["quality"]["rules"]}
    assert {type_ for type_, action in actions if action == "quarantine"} == {
        "completeness",
        "allowedValues",
        "customSql",
    }


def test_the_shared_cases_are_whole() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for case in CASES:
        assert case["read"] >= len(case["rows"]) + sum(case["quarantined"].values()), case["name"]
        names = [rule["name"] for rule in case["quality"]["rules"]]
        assert [name for name in case["expect"]["rules"] if name != DEFAULT_RULE] == names


def test_all_is_counted_in_one_look_at_the_rows(spark: SparkSession) -> None:
    case = CASES[NAMES.index("every type passes")]
    quality = rules_of_text(json.dumps(case["quality"]), case["columns"], case["reasons"])
    looks = spark.sparkContext.accumulator(0)
    rows = judged_rows(spark, case)

    def look(row: Any) -> Any:
        looks.add(1)
        return row

    watched = spark.createDataFrame(rows.rdd.map(look), rows.schema)
    measure_quality(watched, quality)
    assert looks.value == len(case["rows"]) + 1


def test_newest_is_kept_to_the_microsecond_and_quarantined_rows_do_not_count(spark: SparkSession) -> None:
    session.configure(spark, 0)
    rule = {"name": "recent", "type": "freshness", "column": "t", "atMostHours": 1, "action": "warn"}
    pair = {"name": "unique", "type": "uniqueness", "columns": ["t"], "atLeast": 1, "action": "warn"}
    text = json.dumps({"threshold": 0, "rules": [rule, pair]})
    quality = rules_of_text(text, {"t": "timestamp"}, ["late", "early"])
    good, bad = datetime(2010, 12, 1, 0, 0, 0, 1, UTC), datetime(2011, 1, 1, tzinfo=UTC)
    rows = spark.createDataFrame([(None, good), ("late", bad), ("late", bad)], "reason string, t timestamp")
    measured = measure_quality(rows, quality)
    assert measured.rows == 1
    assert measured.newest == {"recent": 1_291_161_600_000_001}
    assert measured.counts == {"unique": 1}
    assert measured.quarantined == {"late": 2, "early": 0}
