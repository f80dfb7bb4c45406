"""Tasks: `.sync` for Glue job runs and nested executions, SDK calls, all with the state machine's role.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

import contextlib
import contextvars
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import botocore.exceptions  # type: ignore[import-untyped,unused-ignore]
import emulator
import state_machine_services as services
from state_machine_runs import Ended, current, pause

_BEHAVIOUR = "tasks with the state machine's own role"
_POLL_SECONDS = 0.2
_RESOURCE = re.compile(
    r"arn:aws[a-z-]*:states:[^:]*:[^:]*:(aws-sdk:)?([a-zA-Z0-9]+):([a-zA-Z0-9]+)(\.[a-zA-Z]+(?::2)?)?"
)
_timed_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("timed_out", default=None)


class _TimedOutError(Exception):
    """The state's TimeoutSeconds are over; what the Task started has been stopped."""


def install() -> None:
    """Replace how MiniStack calls a Task's resource, and how it times out."""
    module = "services.stepfunctions"
    emulator.replace(module, "_invoke_resource", ("resource", "input_data"), _invoke, _BEHAVIOUR)
    emulator.replace(
        module,
        "_invoke_resource_with_timeout",
        ("resource", "input_data", "timeout"),
        _with_timeout,
        _BEHAVIOUR,
    )


def _invoke(original: Any) -> Callable[..., Any]:
    def invoke_resource(resource: str, input_data: Any) -> Any:
        found = _RESOURCE.fullmatch(resource)
        if current.get() is None or not found or found.group(4) == ".waitForTaskToken":
            return original(resource, input_data)
        sdk, name, action, pattern = found.groups()
        if sdk:
            return _call_sdk(name, action, pattern, input_data)
        if name not in services.OPTIMISED:
            return original(resource, input_data)
        return _call_optimised(name, action, pattern or "", input_data)

    return invoke_resource


def _with_timeout(original: Any) -> Callable[..., Any]:
    """The Task's thread is told that its time is over and stops what it started before the state fails."""
    del original

    def invoke_with_timeout(resource: str, input_data: Any, timeout: float) -> Any:
        states = emulator.service("stepfunctions")
        over = threading.Event()

        def invoke() -> Any:
            _timed_out.set(over)
            return states._invoke_resource(resource, input_data)

        pool = ThreadPoolExecutor(max_workers=1)
        future = pool.submit(contextvars.copy_context().run, invoke)
        pool.shutdown(wait=False)
        try:
            return future.result(timeout=timeout)
        except FutureTimeoutError:
            over.set()
            with contextlib.suppress(_TimedOutError, FutureTimeoutError):
                future.result(timeout=30)
            raise services.failure("States.Timeout", "") from None

    return invoke_with_timeout


def _client(name: str) -> Any:
    execution = current.get()
    assert execution is not None
    return execution.client(name)


def _call_sdk(name: str, action: str, pattern: str | None, parameters: Any) -> Any:
    service = services.SDK.get(name.lower())
    if service is None or pattern:
        raise services.failure(
            "States.Runtime", f"aws-sdk:{name}:{action}{pattern or ''} is not to be had here"
        )
    return services.call(_client(service.client), service, action, parameters or {})


def _call_optimised(name: str, action: str, pattern: str, parameters: Any) -> Any:
    service = services.OPTIMISED[name]
    if (name, action) == ("glue", "startJobRun"):
        return _start_job_run(service, pattern, parameters)
    if (name, action) == ("states", "startExecution"):
        return _start_execution(service, pattern, parameters)
    if pattern or (name, action) not in (("sns", "publish"), ("sqs", "sendMessage")):
        raise services.failure("States.Runtime", f"{name}:{action}{pattern} is not an integration")
    # A message that is an object is sent as its JSON.
    body = "Message" if name == "sns" else "MessageBody"
    if isinstance(parameters.get(body), dict | list):
        parameters = {**parameters, body: json.dumps(parameters[body])}
    return services.call(_client(service.client), service, action, parameters)


def _poll(ask: Callable[[], dict[str, Any] | None], stop: Callable[[], None]) -> dict[str, Any]:
    """Ask until there is an answer. When the execution ends or the state's time is over, stop what was
    started.
    """
    over = _timed_out.get()
    try:
        while True:
            answer = ask()
            if answer is not None:
                return answer
            if over is not None and over.is_set():
                raise _TimedOutError
            pause(_POLL_SECONDS, over)
    except (Ended, _TimedOutError):
        stop()
        raise


# -- Glue job runs --


def _start_job_run(service: services.Service, pattern: str, parameters: dict[str, Any]) -> Any:
    glue = _client("glue")
    started = services.call(glue, service, "StartJobRun", parameters)
    name, run_id = parameters["JobName"], started["JobRunId"]
    execution = current.get()
    assert execution is not None
    execution.submitted({"JobName": name, **started})
    if pattern != ".sync":
        return {"JobName": name, **started}
    shape = glue.meta.service_model.operation_model("GetJobRun").output_shape.members["JobRun"]

    def ask() -> dict[str, Any] | None:
        run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
            return None
        return dict(services.result(run, shape, services.milliseconds))

    def stop() -> None:
        glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])

    run = _guarded(service, glue, lambda: _poll(ask, stop))
    if run["JobRunState"] != "SUCCEEDED":
        raise services.failure("States.TaskFailed", services.as_cause(run))
    return run


# -- nested executions --


def _start_execution(service: services.Service, pattern: str, parameters: dict[str, Any]) -> Any:
    states = _client("stepfunctions")
    asked = dict(parameters)
    given = asked.get("Input", {})
    asked["Input"] = given if isinstance(given, str) else json.dumps(given)
    started = services.call(states, service, "StartExecution", asked)
    arn = started["ExecutionArn"]
    execution = current.get()
    assert execution is not None
    execution.submitted(started)
    if not pattern:
        return started
    shape = states.meta.service_model.operation_model("DescribeExecution").output_shape

    def ask() -> dict[str, Any] | None:
        child = states.describe_execution(executionArn=arn)
        child.pop("ResponseMetadata", None)
        return (
            None
            if child["status"] == "RUNNING"
            else dict(services.result(child, shape, services.milliseconds))
        )

    def stop() -> None:
        states.stop_execution(
            executionArn=arn, error="States.ParentStopped", cause="The parent execution ended"
        )

    child = _guarded(service, states, lambda: _poll(ask, stop))
    if child["Status"] != "SUCCEEDED":
        raise services.failure("States.TaskFailed", services.as_cause(child))
    if pattern == ".sync:2":
        child = {
            **child,
            "Input": json.loads(child.get("Input") or "{}"),
            "Output": json.loads(child["Output"]),
        }
    return child


def _guarded(service: services.Service, client: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A refused poll fails the Task by the error's name."""
    try:
        return work()
    except botocore.exceptions.ClientError as error:
        raise services.failure(services.error_name(client, service, error), str(error)) from error
