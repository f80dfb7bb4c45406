"""Writes an execution's history to the log group that its state machine names.

https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

import json
import logging
import time
from typing import Any

from embedded_aws.core import emulator

_FAILED = ("Failed", "TimedOut", "Aborted")
_logger = logging.getLogger("embedded-aws.execution-logs")


def record(machine: dict[str, Any], execution: dict[str, Any], event: dict[str, Any]) -> None:
    """Write one event if the machine's level includes it, with its data if the machine includes data."""
    configuration = machine.get("loggingConfiguration") or {}
    if not wanted(str(configuration.get("level", "OFF")), str(event["type"])):
        return
    for destination in configuration.get("destinations") or []:
        arn = str((destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", ""))
        if ":log-group:" in arn:
            group = arn.split(":log-group:", 1)[1].removesuffix(":*")
            _write(group, execution, entry(execution, event, bool(configuration.get("includeExecutionData"))))


def wanted(level: str, event_type: str) -> bool:
    """True if a level includes an event: ALL every one, ERROR failures, FATAL failed executions, OFF none."""
    if level == "ALL":
        return True
    failed = any(word in event_type for word in _FAILED)
    return failed and (level == "ERROR" or (level == "FATAL" and event_type.startswith("Execution")))


def entry(execution: dict[str, Any], event: dict[str, Any], include_data: bool) -> dict[str, Any]:
    """The log's form of a history event."""
    details: dict[str, Any] = {}
    for key, value in event.items():
        if key.endswith("EventDetails") and isinstance(value, dict):
            details = {
                k: v for k, v in value.items() if include_data or k not in ("input", "output", "parameters")
            }
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(int(time.time() * 1000)),
        "execution_arn": execution["executionArn"],
    }


def _write(group: str, execution: dict[str, Any], message: dict[str, Any]) -> None:
    logs = emulator.service("cloudwatch_logs")
    machine, name = execution["stateMachineArn"].rsplit(":", 1)[-1], execution["name"]
    stream = {"logGroupName": group, "logStreamName": f"states/{machine}/{name}"}
    logs._create_log_stream(stream)
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps(message)}
    status, _, body = logs._put_log_events({**stream, "logEvents": [event]})
    if status >= 400:
        _logger.warning("no log of %s: %s", execution["executionArn"], body)
