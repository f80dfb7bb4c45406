"""Tasks with `.waitForTaskToken`: the call acts with the state machine's role, then the Task waits.

The time-out counts from the Task's start. The heartbeat counts from the end of the call, so not while a
function runs.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states.execution import current, failure, pause

_PATTERN = ".waitForTaskToken"
_POLL_SECONDS = 0.1


def install(behaviour: str) -> None:
    """Replace MiniStack's waiting for a token."""
    emulator.replace(
        "services.stepfunctions",
        "_invoke_with_callback",
        ("resource", "input_data", "token", "state_def"),
        _with_token,
        behaviour,
    )


def _with_token(original: Any) -> Callable[..., Any]:
    def invoke_with_callback(resource: str, input_data: Any, token: str, state_def: dict[str, Any]) -> Any:
        if current.get() is None or not resource.startswith("arn:aws:states:::"):
            return original(resource, input_data, token, state_def)
        states = emulator.service("stepfunctions")
        answered = threading.Event()
        entry = {"event": answered, "result": None, "error": None, "heartbeat": None}
        states._task_tokens[token] = entry
        begun = time.monotonic()
        seconds = float(state_def.get("TimeoutSeconds") or 0)
        called = resource.replace(_PATTERN, "")
        try:
            if seconds:
                states._invoke_resource_with_timeout(called, input_data, seconds)
            else:
                states._invoke_resource(called, input_data)
            _wait(entry, begun + seconds if seconds else None, float(state_def.get("HeartbeatSeconds") or 0))
        finally:
            states._task_tokens.pop(token, None)
        error = entry["error"]
        if isinstance(error, dict):
            raise failure(str(error.get("Error") or ""), str(error.get("Cause") or ""))
        result = entry["result"]
        with contextlib.suppress(ValueError, TypeError):
            return json.loads(str(result))
        return result

    return invoke_with_callback


def _wait(entry: dict[str, Any], deadline: float | None, heartbeat: float) -> None:
    """Wait for the answer. Raises the time-out's failure, or Ended if the execution ends."""
    seen, heard = entry["heartbeat"], time.monotonic()
    while not entry["event"].is_set():
        now = time.monotonic()
        if entry["heartbeat"] != seen:
            seen, heard = entry["heartbeat"], now
        if deadline is not None and now > deadline:
            raise failure("States.Timeout", "")
        if heartbeat and now > heard + heartbeat:
            raise failure("States.HeartbeatTimeout", "")
        pause(_POLL_SECONDS, entry["event"])
