"""RedriveExecution continues an unsuccessful execution at the state that did not succeed.

The execution keeps its ARN, definition, role and the output of its finished states. The state runs again with
the same input and all its retries, and TimeoutSeconds start again. Of a Parallel or an inline Map state only
the branches and items run again that did not succeed, each from its own failed state.
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import contextvars
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from embedded_aws.core import emulator

REDRIVABLE_DAYS = 14
"""Days after its end within which an execution can be redriven."""
OPEN_DAYS = 365
"""Days after its start within which an execution can run."""
MOST_EVENTS = 24_999
"""A history must be shorter than this, so that a redrive can add events."""
_UNSUCCESSFUL = ("FAILED", "TIMED_OUT", "ABORTED")
_EXECUTION_ARN = re.compile(r"arn:aws[a-z-]*:states:[^:]+:\d{12}:execution:[^:]+:[^:]+")
_BEHAVIOUR = "redrives"


def install() -> None:
    """Add the call, and the fields about redrives in descriptions of an execution."""
    module = "services.stepfunctions"
    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace(module, "handle_request", parameters, _handle, _BEHAVIOUR)
    emulator.replace(module, "_describe_execution", ("data",), _describe, _BEHAVIOUR)
    emulator.replace(module, "_describe_state_machine_for_execution", ("data",), _pinned, _BEHAVIOUR)


def refusal(record: dict[str, Any], now: datetime | None = None) -> str | None:
    """The reason why an execution cannot be redriven, in AWS's words; None if it can."""
    status, now = record["status"], now or datetime.now(UTC)
    if status not in _UNSUCCESSFUL:
        return f"Execution is {status} and cannot be redriven"
    machine = record.get("pinnedMachine")
    if machine is None:
        return "Execution was started before the launch of RedriveExecution"
    if machine.get("type") == "EXPRESS":
        return "Execution is of an EXPRESS state machine and cannot be redriven"
    if len(record["events"]) >= MOST_EVENTS:
        return "Execution history event limit exceeded"
    if _moment(record["startDate"]) + timedelta(days=OPEN_DAYS) < now:
        return "Execution has exceeded the max execution time"
    if _moment(record["stopDate"]) + timedelta(days=REDRIVABLE_DAYS) < now:
        return "Execution redrivable period exceeded"
    return None


def details(record: dict[str, Any]) -> dict[str, Any]:
    """An execution's redrives so far, and whether another is possible, without fields that do not apply."""
    reason = refusal(record)
    answer = {
        "redriveCount": record.get("redriveCount", 0),
        "redriveDate": record.get("redriveDate"),
        "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
        "redriveStatusReason": reason,
    }
    return {key: value for key, value in answer.items() if value is not None}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _handle(original: Any) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
        if action != "RedriveExecution":
            return await original(method, path, headers, body, query_params)
        return emulator.service("stepfunctions")._finalize_response(_redrive(json.loads(body or b"{}")))

    return handle_request


def _redrive(data: dict[str, Any]) -> Any:
    responses = emulator.module("core.responses")
    arn = str(data.get("executionArn", ""))
    if not _EXECUTION_ARN.fullmatch(arn):
        return responses.error_response_json("InvalidArn", f"Invalid Arn: '{arn}'", 400)
    record = emulator.service("stepfunctions")._executions.get(arn)
    if record is None:
        message = f"Execution Does Not Exist: '{arn}'"
        return responses.error_response_json("ExecutionDoesNotExist", message, 400)
    token = data.get("clientToken")
    if not token or token != record.get("redriveToken"):  # a repeated token means the same redrive
        reason = refusal(record)
        if reason:
            return responses.error_response_json("ExecutionNotRedrivable", reason, 400)
        _begin(record, token)
    return responses.json_response({"redriveDate": record["redriveDate"]})


def _begin(record: dict[str, Any], token: str | None) -> None:
    states = emulator.service("stepfunctions")
    record.update(
        status="RUNNING",
        redriveCount=record.get("redriveCount", 0) + 1,
        redriveDate=states.now_iso(),
        redriveToken=token,
        **dict.fromkeys(("stopDate", "error", "cause", "output")),
    )
    count = {"redriveCount": record["redriveCount"]}
    states._add_event(record, "ExecutionRedriven", {"executionRedrivenEventDetails": count})
    states._emit_execution_status_event(record)
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(states._run_execution, record["executionArn"]), daemon=True).start()


def _describe(original: Any) -> Callable[..., Any]:
    """Add the version and the alias that the execution was started with; MiniStack leaves them out."""

    def describe_execution(data: dict[str, Any]) -> Any:
        answer = original(data)
        record = emulator.service("stepfunctions")._executions.get(data.get("executionArn"))
        if record is None:
            return answer
        started = ("stateMachineVersionArn", "stateMachineAliasArn")
        more = {key: record[key] for key in started if record.get(key)} | details(record)
        return emulator.module("core.responses").json_response({**json.loads(answer[2]), **more})

    return describe_execution


def _pinned(original: Any) -> Callable[..., Any]:
    """Describe the definition that the execution was started with, not the state machine's current one."""

    def describe_state_machine_for_execution(data: dict[str, Any]) -> Any:
        answer = original(data)
        record = emulator.service("stepfunctions")._executions.get(data.get("executionArn"))
        if answer[0] >= 400 or record is None or not record.get("pinnedMachine"):
            return answer
        kept = {key: record["pinnedMachine"][key] for key in ("definition", "roleArn")}
        return emulator.module("core.responses").json_response({**json.loads(answer[2]), **kept})

    return describe_state_machine_for_execution
