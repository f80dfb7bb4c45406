"""Runs one execution of a state machine: its definition, role, time-out and end.

An execution runs the definition of the version or alias it was started with, acts with the state machine's
role, and ends as TIMED_OUT when its TimeoutSeconds are over. When it is stopped, it stops what it started.
Its record keeps the machine as it was at the start, and the current state, so that it can be redriven.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-structure.html
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.states import history
from embedded_aws.states.execution import Ended, Execution, current, pause
from embedded_aws.states.walk import run_states

_PINNED = ("name", "definition", "roleArn", "type", "loggingConfiguration")
_BEHAVIOUR = "executions with their own role, version and time-out"
_logger = logging.getLogger("embedded-aws.executions")
_settings: list[Settings] = []
_ends: dict[str, threading.Event] = {}
_requested: contextvars.ContextVar[str] = contextvars.ContextVar("requested_arn", default="")


def install(settings: Settings) -> None:
    """Replace MiniStack's execution loop, and wrap its starting, ending and recording of executions."""
    _settings[:] = [settings]
    module = "services.stepfunctions"
    emulator.replace(module, "_run_execution", ("exec_arn",), lambda _: _run_execution, _BEHAVIOUR)
    emulator.replace(module, "_start_execution", ("data",), _start, _BEHAVIOUR)
    emulator.replace(module, "_stop_execution", ("data",), _stop, _BEHAVIOUR)
    emulator.replace(module, "_fail_execution", ("execution", "error", "cause"), _fail, _BEHAVIOUR)
    history.install(current.get)
    emulator.replace(module, "_scaled_sleep", ("seconds",), _sleep, _BEHAVIOUR)


# -- starting and ending --


def _start(original: Any) -> Callable[..., Any]:
    def start_execution(data: dict[str, Any]) -> Any:
        token = _requested.set(str(data.get("stateMachineArn", "")))
        try:
            answer = original(data)
            if answer[0] < 400:
                states = emulator.service("stepfunctions")
                pinned(states._executions[json.loads(answer[2])["executionArn"]])
            return answer
        finally:
            _requested.reset(token)

    return start_execution


def _stop(original: Any) -> Callable[..., Any]:
    def stop_execution(data: dict[str, Any]) -> Any:
        answer = original(data)
        event = _ends.get(str(data.get("executionArn")))
        if event is not None and answer[0] < 400:
            event.set()
        return answer

    return stop_execution


def _fail(original: Any) -> Callable[..., Any]:
    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        attempt = current.get()
        if execution["status"] == "RUNNING" and (attempt is None or attempt.live):
            original(execution, error, cause)
            execution["output"] = None  # MiniStack puts error and cause there too

    return fail_execution


def _sleep(original: Any) -> Callable[..., Any]:
    del original
    return lambda seconds: pause(seconds * emulator.service("stepfunctions")._SFN_WAIT_SCALE)


def _time_out(execution: Execution) -> None:
    states = emulator.service("stepfunctions")
    record = execution.record
    if not execution.live:
        return
    record.update(status="TIMED_OUT", stopDate=states.now_iso(), error="States.Timeout", cause=None)
    states._add_event(
        record, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    )
    execution.ended.set()
    states._emit_execution_status_event(record)


# -- running --


def _run_execution(exec_arn: str) -> None:
    states = emulator.service("stepfunctions")
    record = states._executions.get(exec_arn)
    if record is None:
        return
    redrives = record.get("redriveCount", 0)
    time.sleep(0.05)  # the caller gets its answer first
    if record.get("redriveCount", 0) != redrives:
        return  # stopped and redriven before it began
    try:
        execution = Execution(record, pinned(record), _settings[0])
        _ends[exec_arn] = execution.ended
    except (KeyError, ValueError) as error:
        states._fail_execution(record, "States.Runtime", f"The state machine cannot be run: {error}")
        return
    if not execution.live:
        return  # stopped before it began
    token = current.set(execution)
    timer = None
    seconds = execution.definition.get("TimeoutSeconds")
    if seconds:
        context = contextvars.copy_context()
        timer = threading.Timer(float(seconds), context.run, args=(_time_out, execution))
        timer.daemon = True
        timer.start()
    try:
        output = run_states(execution)
        if execution.live:
            record.update(status="SUCCEEDED", output=output, stopDate=states.now_iso())
            states._add_event(
                record, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": output}}
            )
            states._emit_execution_status_event(record)
    except Ended:
        pass
    except states._ExecutionError as error:
        states._fail_execution(record, error.error, error.cause)
    except Exception as error:
        _logger.exception("execution %s could not continue", exec_arn)
        states._fail_execution(record, "States.Runtime", str(error))
    finally:
        if timer is not None:
            timer.cancel()
        current.reset(token)
        if _ends.get(exec_arn) is execution.ended:
            del _ends[exec_arn]
        snapshots.changed()


def pinned(record: dict[str, Any]) -> dict[str, Any]:
    """The machine as it was when the execution started. Later updates and redrives do not change it.

    It is the version that the start named, or the version behind the alias that it named.
    """
    kept: dict[str, Any] | None = record.get("pinnedMachine")
    if kept is not None:
        return kept
    states = emulator.service("stepfunctions")
    machine: dict[str, Any] = states._state_machines[record["stateMachineArn"]]
    requested = _requested.get()
    version_arn = states._execution_version_arn(requested)
    if version_arn:
        record["stateMachineVersionArn"] = version_arn
        if requested != version_arn:
            record["stateMachineAliasArn"] = requested
        machine = {**machine, **states._state_machine_versions[version_arn], "name": machine["name"]}
    kept = {key: machine.get(key) for key in _PINNED}
    record["pinnedMachine"] = kept
    return kept
