"""Starts workflows by events: EventBridge notifies a workflow of events, and its EVENT trigger collects them.

The role of the rule's target needs `glue:NotifyEvent` on the workflow. A run begins when the trigger's batch
is full, or when its window has passed since the first event. Events that wait when the server ends are lost.
https://docs.aws.amazon.com/glue/latest/dg/starting-workflow-eventbridge.html
https://docs.aws.amazon.com/glue/latest/dg/viewing-start-event-info.html
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.workflows import runs, triggers
from embedded_aws.glue.workflows.chains import Chains
from embedded_aws.iam import request_rights, roles

IDS = "aws:eventIds"
"""The run property that holds the ids of the events, as a JSON list."""
_PRINCIPAL = "events.amazonaws.com"
_logger = logging.getLogger("embedded-aws.triggers")


class EventStarts:
    """The events that wait for the batches of EVENT triggers."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._waiting: dict[tuple[str, str, str], tuple[float, list[str], threading.Timer]] = {}
        self._lock = threading.Lock()

    def targets(self, original: Any) -> Callable[..., Any]:
        """Wrap EventBridge's invocation of targets."""

        def invoke_target(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
            arn = str(target.get("Arn", ""))
            parts = arn.split(":", 5)
            if len(parts) < 6 or parts[2] != "glue" or not parts[5].startswith("workflow/"):
                return original(target, event, rule, view)
            role, of = str(target.get("RoleArn") or ""), str((rule or {}).get("Arn", ""))
            given = (arn, role, of, str(event["EventId"]))
            # An event is put during a request or the end of a run, which must not wait for a workflow.
            start = contextvars.copy_context().run
            threading.Thread(target=start, args=(self._notify, *given), daemon=True).start()
            return None

        return invoke_target

    def _notify(self, arn: str, role: str, rule: str, event_id: str) -> None:
        refused = _refusal(arn, role, rule)
        name = arn.partition(":workflow/")[2]
        found = [one for one in triggers.of_workflow(name) if one["Type"] == "EVENT"]
        if refused or not found:
            _logger.warning("rule %s does not reach %s: %s", rule, arn, refused or "it has no EVENT trigger")
            return
        batch = found[0].get("EventBatchingCondition") or {"BatchSize": 1, "BatchWindow": 900}
        self._collect(name, event_id, int(batch["BatchSize"]), int(batch["BatchWindow"]))

    def _collect(self, name: str, event_id: str, size: int, window: int) -> None:
        key = (*roles.current_scope(), name)
        with self._lock:
            if key not in self._waiting:
                timer = threading.Timer(window, contextvars.copy_context().run, (self._start, key))
                timer.daemon = True
                self._waiting[key] = (time.monotonic(), [], timer)
                timer.start()
            ids = self._waiting[key][1]
            ids.append(event_id)
            full = len(ids) >= size
        if full:
            self._start(key)

    def _start(self, key: tuple[str, str, str]) -> None:
        with self._lock:
            first, ids, timer = self._waiting.pop(key, (0.0, [], None))
        if timer is None:  # the batch was full just before its window had passed
            return
        timer.cancel()
        properties = {IDS: json.dumps(ids)}
        batch = {"BatchSize": len(ids), "BatchWindow": round(time.monotonic() - first)}
        try:
            runs.start(self._chains, key[2], properties, batch)
        except RefusedError as error:
            _logger.warning("events did not start workflow %s: %s", key[2], error)
            if error.code == "ConcurrentRunsExceededException":
                runs.record_failed_start(key[2], properties)


def _refusal(arn: str, role: str, rule: str) -> str:
    """The reason why a rule's target may not notify a workflow; empty if it may."""
    if not role:
        return "its target has no role"
    try:
        credentials = roles.assume(role, _PRINCIPAL, "events", rule)
    except roles.RoleNotAssumableError as error:
        return str(error)
    return request_rights.refusal(credentials.access_key_id, "glue:NotifyEvent", arn)
