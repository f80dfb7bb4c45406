"""The quality rules of the events pipeline: good days pass them all, and each one fails for what it is there
to find."""

import json
from datetime import date
from pathlib import Path

import pytest
from conftest import event
from etl import session
from etl.ingest.contract import Contract
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.parse_lines import parse_lines
from etl.run.measure_quality import measure_quality
from etl.run.quality import Quality, Verdict, judge
from plans import rules_of_text
from pyspark.sql import SparkSession

FILE = Path(__file__).parents[2] / "pipelines" / "events" / "events.quality.json"
DAY = date(2010, 12, 1)


def lines(count: int, first: int = 0, **values: object) -> list[str]:
    return [json.dumps(event(f"e-{key}", **values)) for key in range(first, first + count)]


USUAL = [*lines(40), *lines(50, 40, event_type="cancellation", country="EIRE"), *lines(8, 90, items=None)]
NOBODY = lines(60, 1000, user_id=None)


@pytest.fixture
def quality(contract: Contract) -> Quality:
    return rules_of_text(FILE.read_text(), contract.output_types, contract.reasons)


def verdict_on(
    spark: SparkSession, contract: Contract, quality: Quality, delivered: list[str], quarantines: bool = True
) -> Verdict:
    session.configure(spark, 0)
    parsed = parse_lines(spark.createDataFrame([(line,) for line in delivered], "value string"), contract)
    rows = classify_rows(parsed, contract, quality.quarantine_rules if quarantines else ())
    return judge(quality, measure_quality(rows, quality), len(delivered), DAY)


def test_a_usual_day_passes_with_many_users_unknown(
    spark: SparkSession, contract: Contract, quality: Quality
) -> None:
    verdict = verdict_on(spark, contract, quality, USUAL + NOBODY)
    assert (verdict.verdict, verdict.score, verdict.failed) == ("PASSED", 100, "")


@pytest.mark.parametrize(
    ("delivered", "failed", "verdict"),
    [
        (
            lines(3, event_id=None),
            "a_run_has_rows: 0 of 0; events_are_recent: 0 of 1",
            "FAILED",
        ),
        (USUAL + USUAL[:1], "event_ids_are_unique: 98 of 99", "FAILED"),
        (USUAL + lines(10, 200, country=None), "countries_are_there: 98 of 108", "WARNED"),
        (USUAL + lines(2, 200, event_type="login"), "event_types_are_known: 98 of 100", "WARNED"),
        (lines(5, timestamp="2010-11-28T23:59:59Z"), "events_are_recent: 0 of 1", "WARNED"),
        ([*USUAL, "{", "}"], "few_malformed: 2 of 100", "FAILED"),
        (USUAL + lines(148, 200, user_id=" "), "few_without_user: 148 of 246", "FAILED"),
        (USUAL + lines(6, 200, items="none"), "few_wrong_types: 6 of 104", "WARNED"),
        (USUAL + lines(6, 200, timestamp="soon"), "few_unreadable_moments: 6 of 104", "WARNED"),
    ],
)
def test_a_rule_fails_for_what_it_is_there_to_find(
    spark: SparkSession,
    contract: Contract,
    quality: Quality,
    delivered: list[str],
    failed: str,
    verdict: str,
) -> None:
    found = verdict_on(spark, contract, quality, delivered)
    assert (found.failed, found.verdict) == (failed, verdict)


def test_implausible_moments_are_quarantined_and_never_published(
    spark: SparkSession, contract: Contract, quality: Quality
) -> None:
    delivered = USUAL + lines(1, 200, timestamp="1970-01-01T00:00:00Z")
    delivered += lines(1, 201, timestamp="2100-01-01T00:00:00Z")
    assert verdict_on(spark, contract, quality, delivered).verdict == "PASSED"
    found = verdict_on(spark, contract, quality, delivered, quarantines=False)
    assert (found.failed, found.verdict) == ("moments_are_plausible: 98 of 100", "FAILED")


def test_three_warnings_are_too_many(spark: SparkSession, contract: Contract, quality: Quality) -> None:
    two = USUAL + lines(10, 200, country=None, event_type="login")
    assert verdict_on(spark, contract, quality, two).verdict == "WARNED"
    three = two + lines(10, 300, timestamp="soon")
    found = verdict_on(spark, contract, quality, three)
    assert (found.verdict, found.score) == ("FAILED", 70)
