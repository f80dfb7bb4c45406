"""Sends an event to EventBridge at every change of an execution's status.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states import redrive

MOST_BYTES = 248 * 1024
"""Larger inputs and outputs are left out of the event."""
_UNSUCCESSFUL = ("FAILED", "TIMED_OUT", "ABORTED")
_logger = logging.getLogger("embedded-aws.execution-events")


def install() -> None:
    """Replace MiniStack's event, which lacks time-outs, causes of aborts and versions."""

    def make(original: Any) -> Callable[..., Any]:
        del original
        return _emit

    behaviour = "status events of executions"
    emulator.replace(
        "services.stepfunctions", "_emit_execution_status_event", ("execution",), make, behaviour
    )


def _emit(execution: dict[str, Any]) -> None:
    if execution.get("sync"):
        return  # Express executions emit nothing
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail(execution)),
        "Resources": [execution["executionArn"]],
    }
    try:
        emulator.service("eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        _logger.exception("no status event for %s", execution["executionArn"])


def detail(execution: dict[str, Any]) -> dict[str, Any]:
    """The event's detail; fields that do not apply are null."""
    milliseconds = emulator.service("stepfunctions")._iso_to_epoch_ms
    status = execution["status"]
    ended = status in _UNSUCCESSFUL
    redriven = redrive.details(execution)
    output = execution.get("output") if status == "SUCCEEDED" else None
    given = execution.get("input")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": status,
        "startDate": milliseconds(execution.get("startDate")),
        "stopDate": milliseconds(execution.get("stopDate")),
        "input": given if _fits(given) else None,
        "inputDetails": {"included": _fits(given)},
        "output": output if _fits(output) else None,
        "outputDetails": {"included": _fits(output)} if output is not None else None,
        "stateMachineVersionArn": execution.get("stateMachineVersionArn"),
        "stateMachineAliasArn": execution.get("stateMachineAliasArn"),
        "redriveCount": redriven["redriveCount"],
        "redriveDate": milliseconds(redriven.get("redriveDate")),
        "redriveStatus": redriven["redriveStatus"],
        "redriveStatusReason": redriven.get("redriveStatusReason"),
        "error": execution.get("error") if ended else None,
        "cause": execution.get("cause") if ended else None,
    }


def _fits(text: Any) -> bool:
    return text is None or len(json.dumps(text)) <= MOST_BYTES
