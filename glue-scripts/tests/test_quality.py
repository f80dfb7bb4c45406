"""The rules of a plan as the job loads them, and the verdict's arithmetic."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from etl.ingest.contract import Contract
from etl.run.quality import Measured, Quality, Rule, Verdict, judge, nothing_to_judge
from plans import rules_of_text

FILE = Path(__file__).parents[2] / "pipelines" / "events" / "events.quality.json"
COLUMNS = {"country": "string", "n": "bigint", "t": "timestamp", "items": "array<struct<a:string>>"}
REASONS = ["malformed", "missing_user_id"]
DOCUMENT: dict[str, Any] = {
    "threshold": 80,
    "rules": [
        {"name": "there", "type": "completeness", "column": "items", "atLeast": 0.95, "action": "warn"},
        {"name": "unique", "type": "uniqueness", "columns": ["country", "n"], "atLeast": 1, "action": "halt"},
        {"name": "rows", "type": "rowCount", "atLeast": 1, "action": "halt", "weight": 7},
        {"name": "recent", "type": "freshness", "column": "t", "atMostHours": 72, "action": "warn"},
        {
            "name": "known",
            "type": "allowedValues",
            "column": "country",
            "values": ["a", "it's"],
            "action": "quarantine",
        },
        {"name": "few", "type": "quarantineLimit", "reason": "malformed", "atMost": 0.01, "action": "halt"},
        {"name": "right", "type": "customSql", "expression": "n > 0", "atLeast": 0.5, "action": "warn"},
    ],
}


def parse(document: object) -> Quality:
    return rules_of_text(json.dumps(document), COLUMNS, REASONS)


def changed(index: int, **values: object) -> dict[str, Any]:
    """The document with keys of one rule changed, or taken out when they are None."""
    document = copy.deepcopy(DOCUMENT)
    rule = document["rules"][index]
    rule.update(values)
    document["rules"][index] = {key: value for key, value in rule.items() if value is not None}
    return document


def test_all_that_is_said_is_read() -> None:
    assert parse(DOCUMENT) == Quality(
        80,
        (
            Rule("there", "completeness", "warn", columns=("items",), at_least=950_000),
            Rule("unique", "uniqueness", "halt", columns=("country", "n"), at_least=1_000_000),
            Rule("rows", "rowCount", "halt", weight=7, at_least=1),
            Rule("recent", "freshness", "warn", columns=("t",), at_most_hours=72),
            Rule(
                "known",
                "allowedValues",
                "quarantine",
                columns=("country",),
                values=("a", "it's"),
                at_least=1_000_000,
            ),
            Rule("few", "quarantineLimit", "halt", reason="malformed", at_most=10_000),
            Rule("right", "customSql", "warn", columns=("n",), expression="n > 0", at_least=500_000),
        ),
        ("malformed", "missing_user_id", "known"),
    )
    assert [rule.name for rule in parse(DOCUMENT).quarantine_rules] == ["known"]


@pytest.mark.parametrize(
    ("share", "millionths"), [(0, 0), (1, 1_000_000), (1.0, 1_000_000), (0.07, 70_000), (0.000001, 1)]
)
def test_shares_are_whole_millionths(share: float, millionths: int) -> None:
    assert parse(changed(0, atLeast=share)).rules[0].at_least == millionths


def test_a_limit_may_be_of_a_rule_that_quarantines() -> None:
    assert parse(changed(5, reason="known")).rules[5].reason == "known"


def test_the_file_of_the_events_pipeline_is_right(contract: Contract) -> None:
    quality = rules_of_text(FILE.read_text(), contract.output_types, contract.reasons)
    limits = {rule.reason: rule.at_most for rule in quality.rules if rule.type == "quarantineLimit"}
    assert (limits["missing_user_id"], limits["malformed"]) == (600_000, 10_000)
    assert len({rule.type for rule in quality.rules}) >= 5


LAST = date(2010, 12, 3)
END = 1_291_420_800_000_000  # microseconds: 2010-12-04T00:00:00Z


def verdict(index: int, rows: int = 10, read: int = 10, **found: Any) -> Verdict:
    quality = Quality(0, (parse(DOCUMENT).rules[index],), ())
    given = {"counts": {}, "newest": {}, "quarantined": {}} | found
    return judge(quality, Measured(rows=rows, **given), read, LAST)


def test_shares_do_not_round() -> None:
    many = 2_147_483_647
    enough = -(-many * 95 // 100)
    assert verdict(0, rows=many, counts={"there": enough}).rules["there"][2]
    assert not verdict(0, rows=many, counts={"there": enough - 1}).rules["there"][2]
    assert verdict(5, read=100 * many, quarantined={"malformed": many}).verdict == "PASSED"
    assert verdict(5, read=100 * many, quarantined={"malformed": many + 1}).failed == (
        f"few: {many + 1} of {100 * many}"
    )


@pytest.mark.parametrize(
    ("newest", "is_fresh"),
    [(END - 72 * 3600 * 10**6, True), (END - 72 * 3600 * 10**6 - 1, False), (END * 2, True), (None, False)],
)
def test_age_is_taken_at_the_end_of_the_last_date(newest: int | None, is_fresh: bool) -> None:
    assert verdict(3, newest={"recent": newest}).rules == {"recent": (int(is_fresh), 1, is_fresh)}


def test_an_empty_delivery_has_nothing_wrong() -> None:
    assert nothing_to_judge(parse(DOCUMENT)).summary() == {
        "verdict": "PASSED",
        "score": 100,
        "threshold": 80,
        "failed": "",
    }
