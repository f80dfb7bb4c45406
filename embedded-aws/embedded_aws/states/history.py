"""Writes an execution's history as AWS does.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states import logs

_BEHAVIOUR = "executions with their own role, version and time-out"


def install(current: Callable[[], Any]) -> None:
    """Wrap MiniStack's adding of events. ``current`` gives the execution of the calling thread, or None."""
    emulator.replace(
        "services.stepfunctions",
        "_add_event",
        ("execution", "event_type", "details"),
        lambda original: _events(original, current),
        _BEHAVIOUR,
    )


def _events(original: Any, current: Callable[[], Any]) -> Callable[..., Any]:
    """Add no event for an ended attempt, and name the service and action of Task events as AWS does."""

    def add_event(record: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Any:
        execution = current()
        over = record["status"] != "RUNNING" or (
            execution is not None and execution.record is record and not execution.live
        )
        if over and not event_type.startswith("Execution"):
            return None
        for value in (details or {}).values():
            if isinstance(value, dict) and "resource" in value:
                value.update(resource_names(str(value["resource"]) or _last_resource(record)))
        event = original(record, event_type, details)
        event["previousEventId"] = event["id"] - 1
        machine = execution.machine if execution is not None else record.get("pinnedMachine")
        if machine is not None:
            logs.record(machine, record, event)
        return event

    return add_event


def _last_resource(record: dict[str, Any]) -> str:
    for event in reversed(record["events"]):
        details = event.get("taskScheduledEventDetails")
        if details:
            return f"arn:aws:states:::{details['resourceType']}:{details['resource']}"
    return ""


def resource_names(resource: str) -> dict[str, str]:
    """`arn:aws:states:::glue:startJobRun.sync` is resource type `glue`, resource `startJobRun.sync`."""
    words = resource.split(":::", 1)[-1]
    kind, _, name = words.rpartition(":") if not words.endswith(":2") else words[:-2].rpartition(":")
    if not kind:
        return {}
    return {"resourceType": kind, "resource": name + (":2" if words.endswith(":2") else "")}


def submitted(record: dict[str, Any], output: dict[str, Any]) -> None:
    """Record what a Task has started, so that a reader can follow it."""
    details = {"output": json.dumps(output), "outputDetails": {"truncated": False}}
    resource = {"resource": "", "resourceType": ""}
    emulator.service("stepfunctions")._add_event(
        record, "TaskSubmitted", {"taskSubmittedEventDetails": {**resource, **details}}
    )


def entered(record: dict[str, Any], kind: Any, name: str, text: str) -> int | None:
    """Record that a state was entered. Returns the event's id, or None when the execution is over."""
    details = {"name": name, "input": text, "inputDetails": {"truncated": False}}
    event = emulator.service("stepfunctions")._add_event(
        record, f"{kind}StateEntered", {"stateEnteredEventDetails": details}
    )
    return None if event is None else int(event["id"])


def exited(record: dict[str, Any], kind: Any, name: str, text: str) -> None:
    """Record that a state was left with this output."""
    details = {"name": name, "output": text, "outputDetails": {"truncated": False}}
    emulator.service("stepfunctions")._add_event(
        record, f"{kind}StateExited", {"stateExitedEventDetails": details}
    )
