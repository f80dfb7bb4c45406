"""Writes an execution's history as AWS does.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
import threading
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states import logs

_BEHAVIOUR = "executions with their own role, version and time-out"
_numbering = threading.Lock()
"""Events are numbered by their place in the list."""


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
        own = execution if execution is not None and execution.record is record else None
        for value in (details or {}).values():
            if isinstance(value, dict) and "resource" in value:
                resource = str(value["resource"]) or (own.resource if own is not None else "")
                value.update(resource_names(resource))
                if own is not None and event_type == "TaskScheduled":
                    own.resource = resource
        with _numbering:
            event = original(record, event_type, details)
        # Branches run at the same time; the event before is one of the same branch.
        event["previousEventId"] = event["id"] - 1
        if own is not None:
            if own.last_event is not None:
                event["previousEventId"] = own.last_event
            own.last_event = event["id"]
        machine = execution.machine if execution is not None else record.get("pinnedMachine")
        if machine is not None:
            logs.record(machine, record, event)
        return event

    return add_event


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


def parallel(record: dict[str, Any], event_type: str) -> None:
    """Record that the branches of a Parallel state have started, succeeded or failed."""
    emulator.service("stepfunctions")._add_event(record, f"ParallelState{event_type}")


def map_started(record: dict[str, Any], length: int) -> None:
    """Record that a Map state has started its items."""
    details = {"mapStateStartedEventDetails": {"length": length}}
    emulator.service("stepfunctions")._add_event(record, "MapStateStarted", details)


def map_ended(record: dict[str, Any], event_type: str) -> None:
    """Record that a Map state has succeeded or failed."""
    emulator.service("stepfunctions")._add_event(record, f"MapState{event_type}")


def iteration(record: dict[str, Any], event_type: str, name: str, index: int) -> None:
    """Record that an item of a Map state has started, succeeded, failed or was aborted."""
    details = {f"mapIteration{event_type}EventDetails": {"name": name, "index": index}}
    emulator.service("stepfunctions")._add_event(record, f"MapIteration{event_type}", details)
