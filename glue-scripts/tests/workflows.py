"""Workflows and their runs as GetWorkflowRun answers them, for the tests of the watcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 31, 14, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Trigger:
    """`after` has (node, state); a start trigger has none."""

    name: str
    starts: Sequence[str]
    after: Sequence[tuple[str, str]] = ()
    logical: str = "AND"
    state: str = "ACTIVATED"


@dataclass(frozen=True)
class Workflow:
    """`nodes` by name: "job" or "crawl"."""

    nodes: Mapping[str, str]
    triggers: Sequence[Trigger]
    may_fail: frozenset[str] = field(default_factory=frozenset)

    def run(
        self,
        ends: Mapping[str, Any],
        *,
        run_id: str = "wr_1",
        status: str = "COMPLETED",
        minutes: int = 0,
        lasts: int = 20,
        **more: Any,
    ) -> dict[str, Any]:
        """A run. `ends` has a state by node, (state, message), or a list of attempts; nodes without one did
        not run. It starts `minutes` after START."""
        started = START + timedelta(minutes=minutes)
        ended = {"CompletedOn": started + timedelta(minutes=lasts)} if status in ENDED else {}
        nodes = [self._trigger(trigger) for trigger in self.triggers]
        nodes += [self._node(name, kind, ends.get(name), started) for name, kind in self.nodes.items()]
        return {
            "Name": "etl-dev-mobile-users",
            "WorkflowRunId": run_id,
            "WorkflowRunProperties": {},
            "StartedOn": started,
            **ended,
            "Status": status,
            "Statistics": {"TotalActions": len(ends)},
            "Graph": {"Nodes": nodes, "Edges": []},
            **more,
        }

    def _trigger(self, trigger: Trigger) -> dict[str, Any]:
        details: dict[str, Any] = {
            "Name": trigger.name,
            "WorkflowName": "etl-dev-mobile-users",
            "Type": "CONDITIONAL" if trigger.after else "SCHEDULED",
            "State": trigger.state,
            "Actions": [self._named(name) for name in trigger.starts],
        }
        if trigger.after:
            conditions = [self._condition(*condition) for condition in trigger.after]
            details["Predicate"] = {"Logical": trigger.logical, "Conditions": conditions}
        return {
            "Type": "TRIGGER",
            "Name": trigger.name,
            "UniqueId": f"wnode_{trigger.name}",
            "TriggerDetails": {"Trigger": details},
        }

    def _named(self, name: str) -> dict[str, str]:
        return {"JobName": name} if self.nodes[name] == "job" else {"CrawlerName": name}

    def _condition(self, name: str, state: str) -> dict[str, str]:
        key = "State" if self.nodes[name] == "job" else "CrawlState"
        return {"LogicalOperator": "EQUALS", **self._named(name), key: state}

    def _node(self, name: str, kind: str, end: Any, started: datetime) -> dict[str, Any]:
        attempts = end if isinstance(end, list) else [] if end is None else [end]
        runs = [
            self._attempt(name, kind, number, attempt, started) for number, attempt in enumerate(attempts)
        ]
        details: dict[str, Any] = (
            {"JobDetails": {"JobRuns": runs}} if kind == "job" else {"CrawlerDetails": {"Crawls": runs}}
        )
        node_type = "JOB" if kind == "job" else "CRAWLER"
        return {"Type": node_type, "Name": name, "UniqueId": f"wnode_{name}", **details}

    def _attempt(self, name: str, kind: str, number: int, end: Any, started: datetime) -> dict[str, Any]:
        state, message = end if isinstance(end, tuple) else (end, None)
        told = {} if message is None else {"ErrorMessage": message}
        at = {"StartedOn": started + timedelta(minutes=number)}
        if kind == "crawl":
            return {"State": state, **at, **told}
        return {"Id": f"jr_{number}", "Attempt": number, "JobName": name, "JobRunState": state, **at, **told}


ENDED = ("COMPLETED", "STOPPED", "ERROR")
IOS, ANDROID = "etl-dev-segmentlogs-IOS", "etl-dev-segmentlogs-Android"
DAILY, MOBILE = "etl-dev-mobile-user-daily", "etl-dev-segmentlogs-Mobile"
ANY_END = ("SUCCEEDED", "FAILED", "CANCELLED")


def mobile(*, on_crawl: str = "ended", off: str | None = None) -> Workflow:
    """The eight steps of document 002. `on_crawl` is "succeeded" in its own form; `off` is a trigger that is
    not activated."""
    states = ANY_END if on_crawl == "ended" else ("SUCCEEDED",)
    logical = "ANY" if on_crawl == "ended" else "AND"

    def after_crawl(name: str) -> list[tuple[str, str]]:
        return [(name, state) for state in states]

    def state(name: str) -> str:
        return "DEACTIVATED" if name == off else "ACTIVATED"

    steps = [
        ("etl-dev-mobile-user-start", IOS, (), "AND"),
        ("etl-dev-android-crawler-trigger", ANDROID, after_crawl(IOS), logical),
        ("etl-dev-mobile-user-etl-trigger", DAILY, after_crawl(ANDROID), logical),
        ("etl-dev-mobile-crawler-trigger", MOBILE, [(DAILY, "SUCCEEDED")], "AND"),
    ]
    triggers = [Trigger(name, [node], after, how, state(name)) for name, node, after, how in steps]
    nodes = {IOS: "crawl", ANDROID: "crawl", DAILY: "job", MOBILE: "crawl"}
    return Workflow(nodes, triggers, frozenset({IOS, ANDROID}))


WELL = {IOS: "SUCCEEDED", ANDROID: "SUCCEEDED", DAILY: "SUCCEEDED", MOBILE: "SUCCEEDED"}
