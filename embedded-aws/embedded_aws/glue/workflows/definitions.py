"""Judges the definition of a trigger, in Glue's words where they are known.

https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTrigger.html
https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html
The words come from reports of users:
https://github.com/aws/aws-cdk/issues/34652 (logical operator)
https://github.com/hashicorp/terraform-provider-aws/issues/39571 (predicate and action)
https://github.com/hashicorp/terraform-provider-aws/issues/43013 (state)
https://github.com/awslabs/aws-glue-blueprint-libs/issues/4 (two crawlers)
https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/glue (all others that are quoted in full)
"""

import itertools
from collections.abc import Mapping
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.glue.answers import invalid
from embedded_aws.glue.workflows.conditions import CRAWL_STATES, JOB_STATES

TYPES = ("SCHEDULED", "CONDITIONAL", "ON_DEMAND", "EVENT")
STARTING_TYPES = ("SCHEDULED", "ON_DEMAND", "EVENT")
"""A workflow has at most one trigger of these types."""
ACTIVATED_TYPES = ("SCHEDULED", "CONDITIONAL")
"""Triggers that are activated and deactivated. The others stay in the state CREATED."""
_MOST_CRAWLERS = 2
_LEAST_MINUTES = 5


def judge(kind: str, trigger: Mapping[str, Any]) -> None:
    """Raises RefusedError for the first thing that Glue refuses in a trigger of this type."""
    if kind not in TYPES:
        raise invalid(f"Trigger Type {kind} should be any of: [{', '.join(TYPES)}]")
    _judge_actions(trigger.get("Actions") or [])
    if kind == "SCHEDULED":
        judge_schedule(str(trigger.get("Schedule") or ""))
    if kind == "CONDITIONAL":
        _judge_predicate(trigger.get("Predicate") or {})
        started = {one.get("JobName") for one in trigger["Actions"]} - {None}
        if any(one.get("JobName") in started for one in trigger["Predicate"]["Conditions"]):
            raise invalid("Job cannot be a Predicate and Action for Conditional Trigger.")
    batch = trigger.get("EventBatchingCondition")
    if batch is not None:
        _judge_batch(batch)


def _judge_actions(actions: list[Mapping[str, Any]]) -> None:
    if not actions:
        raise invalid("Actions cannot be null or empty")
    for action in actions:
        if action.get("JobName") and action.get("CrawlerName"):
            raise invalid("Both JobName or CrawlerName cannot be set together in an action")
        if not action.get("JobName") and not action.get("CrawlerName"):
            raise invalid("JobName or CrawlerName must be set in an action")
        if action.get("Timeout") is not None and int(action["Timeout"]) < 1:
            raise invalid("Timeout of an action must be at least 1 minute")
    if sum(1 for action in actions if action.get("CrawlerName")) > _MOST_CRAWLERS:
        raise invalid("Actions cannot contain more than two crawlers")


def _judge_predicate(predicate: Mapping[str, Any]) -> None:
    conditions = predicate.get("Conditions") or []
    if not conditions:
        raise invalid("Predicate cannot be null or empty")
    if len(conditions) > 1 and not predicate.get("Logical"):
        words = "Logical operator cannot be null or empty when more than one condition is present."
        raise invalid(words)
    if predicate.get("Logical") not in (None, "", "AND", "ANY"):
        raise invalid(f"Logical {predicate['Logical']} should be any of: [AND, ANY]")
    for condition in conditions:
        _judge_condition(condition)


def _judge_condition(condition: Mapping[str, Any]) -> None:
    if condition.get("LogicalOperator") != "EQUALS":
        raise invalid("Logical operator cannot be null or empty")
    watches_job = bool(condition.get("JobName"))
    if watches_job == bool(condition.get("CrawlerName")):
        raise invalid("Either JobName or CrawlerName must be set in a condition")
    state = condition.get("State" if watches_job else "CrawlState")
    if not state:
        raise invalid("State cannot be null or empty")
    if watches_job and state not in JOB_STATES:
        raise invalid(f"JobRunState should be any of: [{', '.join(JOB_STATES)}]")
    if not watches_job and state not in CRAWL_STATES:
        raise invalid(f"CrawlerState should be any of: [{', '.join(CRAWL_STATES)}]")


def _judge_batch(batch: Mapping[str, Any]) -> None:
    for key, most in (("BatchSize", 100), ("BatchWindow", 900)):
        value = batch.get(key)
        if (value is None and key == "BatchSize") or (value is not None and not 1 <= int(value) <= most):
            raise invalid(f"{key} must be from 1 to {most}")


def judge_schedule(schedule: str) -> None:
    """Raises RefusedError for a cron expression that Glue refuses. Its times are in UTC."""
    if not schedule:
        raise invalid("Schedule cannot be null or empty")
    fields = emulator.service("eventbridge")._parse_cron_fields(schedule)
    if fields is None or not _is_possible(fields) or _is_too_often(sorted(fields[0]), sorted(fields[1])):
        raise invalid(f"The schedule {schedule} is invalid.")


def _is_possible(fields: Any) -> bool:
    """True if minutes, hours and months exist, and one of the two day fields is open."""
    ranges = (fields[0], range(60)), (fields[1], range(24)), (fields[3], range(1, 13))
    in_range = all(asked and set(asked) <= set(possible) for asked, possible in ranges)
    return in_range and not fields[6] == fields[7] == "?"


def _is_too_often(minutes: list[int], hours: list[int]) -> bool:
    gaps = [later - earlier for earlier, later in itertools.pairwise(minutes)]
    if any((hour + 1) % 24 in hours for hour in hours):
        gaps.append(60 + minutes[0] - minutes[-1])
    return any(gap < _LEAST_MINUTES for gap in gaps)
