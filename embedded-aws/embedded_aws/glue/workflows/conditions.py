"""Judges whether the ends of jobs and crawlers fire a conditional trigger, and counts how actions stand.

https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRunStatistics.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from embedded_aws.glue.workflows.graph import Node

JOB_STATES = ("SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT")
"""The ends of a job run that a trigger can watch. It cannot watch ERROR."""
CRAWL_STATES = ("SUCCEEDED", "FAILED", "CANCELLED")
"""The ends of a crawl that a trigger can watch. It cannot watch ERROR."""
_COUNTS = {
    "TIMEOUT": "TimeoutActions",
    "FAILED": "FailedActions",
    "STOPPED": "StoppedActions",
    "CANCELLED": "StoppedActions",
    "SUCCEEDED": "SucceededActions",
    "STARTING": "RunningActions",
    "RUNNING": "RunningActions",
    "STOPPING": "RunningActions",
    "CANCELLING": "RunningActions",
    "ERROR": "ErroredActions",
    "WAITING": "WaitingActions",
}


def holds(predicate: Mapping[str, Any], ends: Mapping[Node, str]) -> bool:
    """True if the last states of the ended nodes meet all conditions, or with `ANY` one of them."""
    met = [_meets(condition, ends) for condition in predicate.get("Conditions") or []]
    return bool(met) and (any(met) if predicate.get("Logical") == "ANY" else all(met))


def _meets(condition: Mapping[str, Any], ends: Mapping[Node, str]) -> bool:
    if condition.get("JobName"):
        return ends.get(Node("JOB", str(condition["JobName"]))) == condition.get("State")
    return ends.get(Node("CRAWLER", str(condition["CrawlerName"]))) == condition.get("CrawlState")


def statistics(actions: int, states: Iterable[str]) -> dict[str, int]:
    """The numbers of actions in a run's graph, and of its job runs and crawls by state."""
    counted = {"TotalActions": actions, **dict.fromkeys(_COUNTS.values(), 0)}
    for state in states:
        counted[_COUNTS[state]] += 1
    return counted
