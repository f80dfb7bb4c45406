"""Runs Tasks: finds the integration of a resource, calls it with the state machine's role, and times out.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
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

from embedded_aws.core import emulator
from embedded_aws.states import callbacks, functions, services, sync
from embedded_aws.states.execution import current, failure

_BEHAVIOUR = "tasks with the state machine's own role"
_RESOURCE = re.compile(
    r"arn:aws[a-z-]*:states:[^:]*:[^:]*:(aws-sdk:)?([a-zA-Z0-9]+):([a-zA-Z0-9]+)(\.[a-zA-Z]+(?::2)?)?"
)
_WAITING: dict[tuple[str, str], tuple[Callable[[services.Service, str, dict[str, Any]], Any], set[str]]] = {
    ("athena", "startQueryExecution"): (sync.start_query, {"", ".sync"}),
    ("lambda", "invoke"): (functions.invoke, {""}),
    ("glue", "startJobRun"): (sync.start_job_run, {"", ".sync"}),
    ("states", "startExecution"): (sync.start_execution, {"", ".sync", ".sync:2"}),
}
"""Integrations that can be waited for, with their patterns."""
_CALLS = {
    "athena": {"getQueryExecution", "getQueryResults", "stopQueryExecution"},
    "dynamodb": {"deleteItem", "getItem", "putItem", "updateItem"},
    "sns": {"publish"},
    "sqs": {"sendMessage"},
}
"""Optimised integrations that answer at once."""


def install() -> None:
    """Replace MiniStack's calls of a Task's resource, and its time-outs."""
    module = "services.stepfunctions"
    emulator.replace(module, "_invoke_resource", ("resource", "input_data"), _invoke, _BEHAVIOUR)
    emulator.replace(
        module,
        "_invoke_resource_with_timeout",
        ("resource", "input_data", "timeout"),
        _with_timeout,
        _BEHAVIOUR,
    )
    callbacks.install(_BEHAVIOUR)


def patterns(name: str, action: str) -> set[str]:
    """The patterns of an optimised integration; empty if it does not exist."""
    if (name, action) in _WAITING:
        return _WAITING[(name, action)][1]
    return {""} if action in _CALLS.get(name, ()) else set()


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
    """Signal the time-out to the Task's thread, which stops what it started before the state fails."""
    del original

    def invoke_with_timeout(resource: str, input_data: Any, timeout: float) -> Any:
        states = emulator.service("stepfunctions")
        over = threading.Event()

        def invoke() -> Any:
            sync.timed_out.set(over)
            return states._invoke_resource(resource, input_data)

        pool = ThreadPoolExecutor(max_workers=1)
        future = pool.submit(contextvars.copy_context().run, invoke)
        pool.shutdown(wait=False)
        try:
            return future.result(timeout=timeout)
        except FutureTimeoutError:
            over.set()
            with contextlib.suppress(Exception):  # the result comes too late in any case
                future.result(timeout=30)
            raise failure("States.Timeout", "") from None

    return invoke_with_timeout


def _call_sdk(name: str, action: str, pattern: str | None, parameters: Any) -> Any:
    service = services.SDK.get(name.lower())
    if service is None or pattern:
        raise failure("States.Runtime", f"aws-sdk:{name}:{action}{pattern or ''} is not supported here")
    return services.call(sync.execution().client(service.client), service, action, parameters or {})


def _call_optimised(name: str, action: str, pattern: str, parameters: Any) -> Any:
    service = services.OPTIMISED[name]
    if pattern not in patterns(name, action):
        raise failure("States.Runtime", f"{name}:{action}{pattern} is not an integration")
    if (name, action) in _WAITING:
        return _WAITING[(name, action)][0](service, pattern, parameters or {})
    # A message that is an object is sent as its JSON.
    body = {"sns": "Message", "sqs": "MessageBody"}.get(name, "")
    if isinstance((parameters or {}).get(body), dict | list):
        parameters = {**parameters, body: json.dumps(parameters[body])}
    return services.call(sync.execution().client(service.client), service, action, parameters or {})
