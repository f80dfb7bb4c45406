"""Which triggers are refused, and with which words; and when a schedule is one of Glue's."""

from typing import Any

import pytest
from brewery import condition

from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.workflows.definitions import judge

MASH, BOIL = {"JobName": "mash"}, {"JobName": "boil"}
CRAWLS = [{"CrawlerName": name} for name in ("malt", "hops", "yeast")]
MASHED = condition("mash", "SUCCEEDED")


def conditional(*conditions: dict[str, Any], **predicate: Any) -> dict[str, Any]:
    return {"Actions": [BOIL], "Predicate": {"Conditions": list(conditions), **predicate}}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in MASHED.items() if name != key}


@pytest.mark.parametrize(
    ("kind", "trigger", "words"),
    [
        ("HOURLY", {"Actions": [MASH]}, "Trigger Type HOURLY should be any of"),
        ("ON_DEMAND", {}, "Actions cannot be null or empty"),
        ("ON_DEMAND", {"Actions": [{}]}, "JobName or CrawlerName must be set in an action"),
        (
            "ON_DEMAND",
            {"Actions": [MASH | CRAWLS[0]]},
            "Both JobName or CrawlerName cannot be set together in an action",
        ),
        ("ON_DEMAND", {"Actions": CRAWLS}, "Actions cannot contain more than two crawlers"),
        ("ON_DEMAND", {"Actions": [MASH | {"Timeout": 0}]}, "Timeout of an action must be at least 1 minute"),
        ("SCHEDULED", {"Actions": [MASH]}, "Schedule cannot be null or empty"),
        (
            "SCHEDULED",
            {"Actions": [MASH], "Schedule": "rate(1 hour)"},
            "The schedule rate(1 hour) is invalid.",
        ),
        ("CONDITIONAL", {"Actions": [BOIL]}, "Predicate cannot be null or empty"),
        ("CONDITIONAL", conditional(), "Predicate cannot be null or empty"),
        (
            "CONDITIONAL",
            conditional(MASHED, condition("chill", "FAILED")),
            "Logical operator cannot be null or empty when more than one condition is present.",
        ),
        ("CONDITIONAL", conditional(MASHED, Logical="OR"), "Logical OR should be any of: [AND, ANY]"),
        ("CONDITIONAL", conditional(without("LogicalOperator")), "Logical operator cannot be null or empty"),
        (
            "CONDITIONAL",
            conditional(without("JobName")),
            "Either JobName or CrawlerName must be set in a condition",
        ),
        ("CONDITIONAL", conditional(without("State")), "State cannot be null or empty"),
        (
            "CONDITIONAL",
            conditional({"LogicalOperator": "EQUALS", "CrawlerName": "malt", "State": "SUCCEEDED"}),
            "State cannot be null or empty",
        ),
        (
            "CONDITIONAL",
            conditional(condition("mash", "ERROR")),
            "JobRunState should be any of: [SUCCEEDED, STOPPED, FAILED, TIMEOUT]",
        ),
        (
            "CONDITIONAL",
            conditional(condition("crawler:malt", "ERROR")),
            "CrawlerState should be any of: [SUCCEEDED, FAILED, CANCELLED]",
        ),
        (
            "CONDITIONAL",
            conditional(condition("boil", "FAILED")),
            "Job cannot be a Predicate and Action for Conditional Trigger.",
        ),
        (
            "EVENT",
            {"Actions": [MASH], "EventBatchingCondition": {"BatchSize": 101}},
            "BatchSize must be from 1 to 100",
        ),
        (
            "EVENT",
            {"Actions": [MASH], "EventBatchingCondition": {"BatchSize": 1, "BatchWindow": 901}},
            "BatchWindow must be from 1 to 900",
        ),
    ],
)
def test_a_refused_trigger(kind: str, trigger: dict[str, Any], words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        judge(kind, trigger)
    assert caught.value.code == "InvalidInputException"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        ("ON_DEMAND", {"Actions": [MASH, BOIL, *CRAWLS[:2]]}),
        ("SCHEDULED", {"Actions": [MASH], "Schedule": "cron(0 4 * * ? *)"}),
        ("CONDITIONAL", conditional(MASHED)),
        (
            "CONDITIONAL",
            conditional(MASHED, condition("crawler:malt", "CANCELLED"), Logical="ANY"),
        ),
        ("EVENT", {"Actions": [MASH], "EventBatchingCondition": {"BatchSize": 100, "BatchWindow": 900}}),
    ],
)
def test_an_accepted_trigger(kind: str, trigger: dict[str, Any]) -> None:
    judge(kind, trigger)


@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ("0/5 8-17 ? * MON-FRI *", True),
        ("0/4 * * * ? *", False),
        ("0,57 4 * * ? *", True),
        ("0,57 4,6 * * ? *", True),
        ("0,57 4,5 * * ? *", False),
        ("2,58 23,0 * * ? *", False),
        ("15 12 * * ? *", True),
        ("15 12 ? * ? *", False),
        ("15 12 1 * MON *", False),
        ("15 12 * * ?", False),
        ("61 12 * * ? *", False),
    ],
)
def test_a_schedule(fields: str, is_taken: bool) -> None:
    trigger = {"Actions": [MASH], "Schedule": f"cron({fields})"}
    if is_taken:
        judge("SCHEDULED", trigger)
    else:
        with pytest.raises(RefusedError, match="is invalid"):
            judge("SCHEDULED", trigger)
