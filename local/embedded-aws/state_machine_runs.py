"""One execution of a state machine: its definition, its role, its time, its end.

An execution runs the definition of the version or alias it was started with, acts with the state machine's
role, ends as TIMED_OUT when its TimeoutSeconds are over, and stops what it started when somebody stops it.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-structure.html
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import emulator
import roles
import snapshots
import state_machine_logs
from settings import Settings

MOST_BYTES = 262_144
"""The largest state input or output: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
_BEHAVIOUR = "executions with their own role, version and time-out"
_logger = logging.getLogger("embedded-aws.executions")
_settings: list[Settings] = []
_ends: dict[str, threading.Event] = {}
_requested: contextvars.ContextVar[str] = contextvars.ContextVar("requested_arn", default="")


class Ended(Exception):  # noqa: N818 - not an error: somebody or a time-out ended the execution
    """The execution is over; its thread leaves without another word."""


class Execution:
    """What the states of one execution share."""

    def __init__(self, record: dict[str, Any], machine: dict[str, Any], settings: Settings) -> None:
        self.record = record
        self.machine = machine
        self.definition: dict[str, Any] = json.loads(machine["definition"])
        self.ended = _ends.setdefault(str(record["executionArn"]), threading.Event())
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client that acts with the state machine's role."""
        with self._lock:
            if service not in self._clients:
                credentials = self._credentials()
                self._clients[service] = roles.client(self._settings, service, credentials)
            return self._clients[service]

    def _credentials(self) -> roles.Credentials:
        name = str(self.record["name"])
        arn = str(self.record["stateMachineArn"])
        try:
            return roles.assume(str(self.machine["roleArn"]), "states.amazonaws.com", name, arn)
        except roles.RoleNotAssumableError as error:
            raise _failure("States.Runtime", str(error)) from error

    def submitted(self, output: dict[str, Any]) -> None:
        """Note in the history what a Task has started, so that one can follow it."""
        details = {"output": json.dumps(output), "outputDetails": {"truncated": False}}
        resource = {"resource": "", "resourceType": ""}
        emulator.service("stepfunctions")._add_event(
            self.record, "TaskSubmitted", {"taskSubmittedEventDetails": {**resource, **details}}
        )


current: contextvars.ContextVar[Execution | None] = contextvars.ContextVar("execution", default=None)


def _failure(error: str, cause: str) -> Exception:
    made: Exception = emulator.service("stepfunctions")._ExecutionError(error, cause)
    return made


def pause(seconds: float, other: threading.Event | None = None) -> None:
    """Wait, unless the execution ends meanwhile (then Ended is raised) or the other event is set."""
    execution = current.get()
    if execution is None:
        time.sleep(seconds)
        return
    deadline = time.monotonic() + seconds
    while not (other is not None and other.is_set()):
        left = deadline - time.monotonic()
        if execution.ended.wait(max(0.0, min(left, 0.1) if other is not None else left)):
            raise Ended
        if left <= 0.1:
            return


def install(settings: Settings) -> None:
    """Replace MiniStack's execution loop and wrap what starts, ends and records executions."""
    _settings[:] = [settings]
    module = "services.stepfunctions"
    emulator.replace(module, "_run_execution", ("exec_arn",), lambda _: _run_execution, _BEHAVIOUR)
    emulator.replace(module, "_start_execution", ("data",), _start, _BEHAVIOUR)
    emulator.replace(module, "_stop_execution", ("data",), _stop, _BEHAVIOUR)
    emulator.replace(module, "_fail_execution", ("execution", "error", "cause"), _fail, _BEHAVIOUR)
    emulator.replace(module, "_add_event", ("execution", "event_type", "details"), _events, _BEHAVIOUR)
    emulator.replace(module, "_scaled_sleep", ("seconds",), _sleep, _BEHAVIOUR)


# -- starting and ending --


def _start(original: Any) -> Callable[..., Any]:
    def start_execution(data: dict[str, Any]) -> Any:
        token = _requested.set(str(data.get("stateMachineArn", "")))
        try:
            return original(data)
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
        if execution["status"] == "RUNNING":
            original(execution, error, cause)
            execution["output"] = None  # MiniStack repeats error and cause there

    return fail_execution


def _sleep(original: Any) -> Callable[..., Any]:
    del original
    return lambda seconds: pause(seconds * emulator.service("stepfunctions")._SFN_WAIT_SCALE)


def _time_out(execution: Execution) -> None:
    states = emulator.service("stepfunctions")
    record = execution.record
    if record["status"] != "RUNNING":
        return
    record.update(status="TIMED_OUT", stopDate=states.now_iso(), error="States.Timeout", cause=None)
    states._add_event(
        record, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    )
    execution.ended.set()
    states._emit_execution_status_event(record)


# -- history --


def _events(original: Any) -> Callable[..., Any]:
    """An ended execution's history is closed; Task events name their service and action as AWS does."""

    def add_event(record: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Any:
        if record["status"] != "RUNNING" and not event_type.startswith("Execution"):
            return None
        for value in (details or {}).values():
            if isinstance(value, dict) and "resource" in value:
                value.update(_resource_names(str(value["resource"]) or _last_resource(record)))
        event = original(record, event_type, details)
        event["previousEventId"] = event["id"] - 1
        execution = current.get()
        if execution is not None:
            state_machine_logs.record(execution.machine, record, event)
        return event

    return add_event


def _last_resource(record: dict[str, Any]) -> str:
    for event in reversed(record["events"]):
        details = event.get("taskScheduledEventDetails")
        if details:
            return f"arn:aws:states:::{details['resourceType']}:{details['resource']}"
    return ""


def _resource_names(resource: str) -> dict[str, str]:
    """`arn:aws:states:::glue:startJobRun.sync` is resource type `glue`, resource `startJobRun.sync`."""
    words = resource.split(":::", 1)[-1]
    kind, _, name = words.rpartition(":") if not words.endswith(":2") else words[:-2].rpartition(":")
    if not kind:
        return {}
    return {"resourceType": kind, "resource": name + (":2" if words.endswith(":2") else "")}


# -- running --


def _run_execution(exec_arn: str) -> None:
    states = emulator.service("stepfunctions")
    record = states._executions.get(exec_arn)
    if record is None:
        return
    time.sleep(0.05)  # the caller gets its answer first
    try:
        machine = _pinned(record)
        execution = Execution(record, machine, _settings[0])
    except (KeyError, ValueError) as error:
        states._fail_execution(record, "States.Runtime", f"The state machine cannot be run: {error}")
        return
    token = current.set(execution)
    timer = None
    seconds = execution.definition.get("TimeoutSeconds")
    if seconds:
        context = contextvars.copy_context()
        timer = threading.Timer(float(seconds), context.run, args=(_time_out, execution))
        timer.daemon = True
        timer.start()
    try:
        output = _run_states(execution)
        if record["status"] == "RUNNING":
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
        _logger.exception("execution %s could not be carried on", exec_arn)
        states._fail_execution(record, "States.Runtime", str(error))
    finally:
        if timer is not None:
            timer.cancel()
        current.reset(token)
        _ends.pop(exec_arn, None)
        snapshots.changed()


def _pinned(record: dict[str, Any]) -> dict[str, Any]:
    """The machine as it was started: the version that was named, or that the alias named leads to."""
    states = emulator.service("stepfunctions")
    machine: dict[str, Any] = states._state_machines[record["stateMachineArn"]]
    requested = _requested.get()
    version_arn = states._execution_version_arn(requested)
    if version_arn:
        record["stateMachineVersionArn"] = version_arn
        if requested != version_arn:
            record["stateMachineAliasArn"] = requested
        version = states._state_machine_versions[version_arn]
        machine = {
            **machine,
            **{key: version[key] for key in ("definition", "roleArn", "loggingConfiguration")},
        }
    return dict(machine)


def _run_states(execution: Execution) -> str:
    """Walk the definition; the output as JSON."""
    states = emulator.service("stepfunctions")
    record, definition = execution.record, execution.definition
    try:
        data = json.loads(record["input"])
    except ValueError:
        data = {}
    ctx = _context(execution, data)
    name: str | None = definition.get("StartAt")
    text = json.dumps(data)
    while name:
        state = definition.get("States", {}).get(name)
        if state is None:
            raise _failure("States.Runtime", f"State '{name}' is not in the definition")
        kind = state.get("Type")
        ctx["State"] = {"Name": name, "EnteredTime": states.now_iso(), "RetryCount": 0}
        entered = {
            "stateEnteredEventDetails": {"name": name, "input": text, "inputDetails": {"truncated": False}}
        }
        event = states._add_event(record, f"{kind}StateEntered", entered)
        if execution.ended.is_set():
            raise Ended
        try:
            data, after = _run_state(kind, state, data, execution, ctx)
        except states._ExecutionError as error:
            if error.error == "States.Runtime" and kind != "Fail" and event is not None:
                where = f"while executing the state '{name}' (entered at the event id #{event['id']})."
                error.cause = f"An error occurred {where} {error.cause}"
            raise
        if execution.ended.is_set():
            raise Ended
        text = json.dumps(data)
        if len(text.encode()) > MOST_BYTES:
            cause = (
                f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes"
            )
            raise _failure("States.DataLimitExceeded", cause)
        left = {
            "stateExitedEventDetails": {"name": name, "output": text, "outputDetails": {"truncated": False}}
        }
        states._add_event(record, f"{kind}StateExited", left)
        name = after
    return text


def _run_state(
    kind: Any, state: dict[str, Any], data: Any, execution: Execution, ctx: dict[str, Any]
) -> tuple[Any, str | None]:
    states = emulator.service("stepfunctions")
    if kind == "Succeed":
        return states._apply_output_path(state, states._apply_input_path(state, data, ctx), ctx), None
    if kind == "Fail":
        raise states._ExecutionError(*states._fail_state_error(state, data, ctx))
    simple = {"Pass": states._execute_pass, "Choice": states._execute_choice, "Wait": states._execute_wait}
    working = {"Task": states._execute_task, "Parallel": states._execute_parallel, "Map": states._execute_map}
    if kind in simple:
        answer = simple[kind](state, data, ctx)
    elif kind in working:
        if "TimeoutSecondsPath" in state:
            state = {**state, "TimeoutSeconds": states._resolve_path(state["TimeoutSecondsPath"], data)}
        answer = working[kind](state, data, execution.record, ctx)
    else:
        raise _failure("States.Runtime", f"Unknown state type: {kind}")
    return answer[0], answer[1]


def _context(execution: Execution, data: Any) -> dict[str, Any]:
    """The context object: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
    record, machine = execution.record, execution.machine
    return {
        "QueryLanguage": execution.definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": record["executionArn"],
            "Input": data,
            "Name": record["name"],
            "RoleArn": machine["roleArn"],
            "StartTime": record["startDate"],
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": record["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }
